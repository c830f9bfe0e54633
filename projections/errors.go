package projections

import (
	"errors"
	"fmt"
	"syscall"

	"rollcall/domain"
)

// The cases that callers tell apart.
var (
	// ErrUnknownProjection tells that the set has no projection of that name.
	ErrUnknownProjection = errors.New("no such projection")
	// ErrReadOnly tells that the views were opened for reading.
	ErrReadOnly = errors.New("the views are open for reading only")
	// ErrRunning tells that the set is being fed already.
	ErrRunning = errors.New("the projections are already running")
	// ErrRebuilding tells that the projection is being rebuilt already.
	ErrRebuilding = errors.New("the projection is already being rebuilt")
)

// UnknownEventError tells that a fold met an event that it has no meaning for.
type UnknownEventError struct {
	Position domain.Position
	Type     domain.EventType
	// Number is the event's field number in events.proto where the log cannot
	// decode it; then there is no Type.
	Number uint32
}

func (e *UnknownEventError) Error() string {
	if e.Number != 0 {
		return fmt.Sprintf("the event at position %d (number %d) is unknown to this version of rollcall; use the version that wrote it", e.Position, e.Number)
	}
	return fmt.Sprintf("the event at position %d (%v) is unknown to this version of rollcall; use the version that wrote it", e.Position, e.Type)
}

// StoppedError tells that a projection has stopped. Its view stands as of
// Position.
type StoppedError struct {
	Projection string
	Position   domain.Position
	Err        error
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("projection %s stopped behind position %d: %v", e.Projection, e.Position, e.Err)
}

func (e *StoppedError) Unwrap() error { return e.Err }

// GapError tells that the log did not give the record that comes next.
type GapError struct{ Expected, Actual domain.Position }

func (e *GapError) Error() string {
	return fmt.Sprintf("the log gave position %d where %d comes next", e.Actual, e.Expected)
}

// StaleError tells why a stored view cannot be taken up.
type StaleError struct{ Projection, Reason string }

func (e *StaleError) Error() string {
	return fmt.Sprintf("the stored view %s is not usable: %s; rebuild it", e.Projection, e.Reason)
}

// DamageError tells that the views' file cannot be read.
type DamageError struct {
	Path    string
	Problem string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged: %s; delete it, and the next start makes it again from the log", e.Path, e.Problem)
}

// RoomError tells that the views' file could not grow for want of room.
type RoomError struct {
	Problem string
	Errno   syscall.Errno // such as ENOSPC
}

func (e *RoomError) Error() string { return e.Problem }

func (e *RoomError) Unwrap() error { return e.Errno }

// UnknownEvent gives the error for a record whose event a fold has no meaning
// for.
func UnknownEvent(r domain.Record) error {
	if e, ok := r.Event.(newer); ok {
		return &UnknownEventError{Position: r.Position, Number: e.number}
	}
	return &UnknownEventError{Position: r.Position, Type: r.Event.Type()}
}
