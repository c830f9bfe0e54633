package device

import (
	"errors"
	"fmt"
	"os"
)

// The ways in which a link breaks.
var (
	// ErrPreamble tells that a connection does not begin as a device link does.
	ErrPreamble = errors.New("not a device link: bad preamble")
	// ErrHandshake tells that the two ends do not agree on their keys, or that
	// somebody changed what was sent.
	ErrHandshake = errors.New("handshake failed: the server key does not match, or the bytes were changed on their way")
	// ErrLabel tells that a device's label is too long, or more than plain text.
	ErrLabel = fmt.Errorf("the label of a device is at most %d bytes of text, without control characters; give another", MaxLabel)
	// ErrRecord tells of a record that is too short, or was changed.
	ErrRecord = errors.New("bad record")
	// ErrFrame tells that what was in a record is not laid out as a message.
	ErrFrame = errors.New("bad frame")
	// ErrMessage tells of a message that is unknown, malformed or out of turn.
	ErrMessage = errors.New("bad message")
	// ErrTooLong tells that a message does not fit into a record, or has a
	// field that is longer than the limit.
	ErrTooLong = errors.New("message too long for the device link")
)

// cutOffError is an [ErrHandshake] in which the server said nothing: for lack of
// a key it does so, and for lack of room; a router or a dispatcher does where it has
// nobody behind it.
type cutOffError struct{ err error }

func (e *cutOffError) Error() string {
	if errors.Is(e.err, os.ErrDeadlineExceeded) {
		return fmt.Sprintf("the server did not answer in time: %v", e.err)
	}
	return fmt.Sprintf("the server closed the link at once: it has too many connections now, or cannot reach its collaboration service, or has another key than the enrolment string says (%v)", e.err)
}

// Is makes it an [ErrHandshake].
func (e *cutOffError) Is(target error) bool { return target == ErrHandshake }

func (e *cutOffError) Unwrap() error { return e.err }

// VersionError tells that the other end speaks another version of the link.
type VersionError struct {
	// Theirs is the version the other end speaks.
	Theirs byte
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the other end speaks version %d of the device link, this program version %d: update the older one", e.Theirs, Version)
}
