package inbox

import (
	"errors"
	"fmt"
	"path/filepath"

	"rollcall/domain"
)

// The cases that callers tell apart, besides [broker.ErrInboxFull].
var (
	// ErrClosed tells that the inbox has been closed.
	ErrClosed = errors.New("the inbox is closed")
	// ErrFailed tells that an earlier write to the inbox failed in a way that
	// leaves open what is on disk. The inbox writes nothing more until it is
	// opened again.
	ErrFailed = errors.New("a write to the inbox has failed; restart to read what the disk holds")
	// ErrUnacknowledged tells that a mailbox holds more than twice what it may,
	// all of which may be with the device: nothing can give way before the
	// device acknowledges some of it.
	ErrUnacknowledged = errors.New("the mailbox is full of messages that the device has not acknowledged; wait until it does")
)

// NumberError tells that a letter was put under a number that is not behind the
// mailbox's last.
type NumberError struct{ Number, Last uint64 }

func (e *NumberError) Error() string {
	return fmt.Sprintf("a letter was put under number %d into a mailbox whose last is %d; ask how the mailbox stands, and use a higher one", e.Number, e.Last)
}

// SizeError tells that a letter is larger than all that a mailbox may hold.
type SizeError struct{ Size, Limit int }

func (e *SizeError) Error() string {
	return fmt.Sprintf("a letter of %d bytes never fits into a mailbox of %d bytes; leave it out", e.Size, e.Limit)
}

// InUseError tells that another process has the inbox open.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return e.Path + ": the inbox is in use by another process; stop that first"
}

// FormatError tells that an inbox was written in a format that this version does
// not know.
type FormatError struct {
	Path          string
	Found, Newest uint32
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: the inbox has format %d and this version of rollcall reads up to format %d; use a newer version", e.Path, e.Found, e.Newest)
}

// OtherLogError tells that an inbox belongs to another log: its mailboxes are
// named by that log's positions.
type OtherLogError struct {
	Path          string
	Found, Wanted domain.LogID
}

func (e *OtherLogError) Error() string {
	return fmt.Sprintf("%s: the inbox belongs to the log %v, not to this one, %v; was the folder put together from two? Bring the inbox of this log, or %s",
		e.Path, e.Found, e.Wanted, away(e.Path))
}

// DamageError tells that an inbox cannot be read.
type DamageError struct{ Path, Problem string }

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s: the inbox is damaged: %s; %s", e.Path, e.Problem, away(e.Path))
}

// away says how to go on without a file.
func away(path string) string {
	return fmt.Sprintf("move it away (to %s.old, say) and start again: sessions go on, the messages that waited in it are lost", filepath.Base(path))
}
