package codec

import (
	"fmt"
	"time"

	"rollcall/domain"
)

// MalformedError tells that bytes are not a record or a block.
type MalformedError struct {
	Position domain.Position // of the record; zero if it is not known
	Problem  string
}

func (e *MalformedError) Error() string {
	if e.Position == 0 {
		return "malformed block: " + e.Problem
	}
	return fmt.Sprintf("malformed record at position %d: %s", e.Position, e.Problem)
}

// UnknownEventError tells that a record holds an event that this version does not
// know. The record is whole, and those behind it can be read.
type UnknownEventError struct {
	Position domain.Position
	Time     time.Time
	// Number is the event's field number in the message Record of
	// events.proto.
	Number uint32
	// Raw is the whole record as it is stored.
	Raw []byte
}

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("the event at position %d has number %d, which this version of rollcall does not know; use a newer version", e.Position, e.Number)
}
