package device

import (
	"errors"
	"fmt"
	"time"

	"rollcall/domain"
)

// How a login, a session or an enrolment can come out, besides well.
var (
	// ErrNoAnswer tells that the right server was there, but closed the link
	// without an answer.
	ErrNoAnswer = errors.New("the server closed the link without an answer: this device may not be enrolled there, or not any more")
	// ErrUnknownSecret, ErrOfferExpired, ErrOfferSpent and ErrTryLater tell why
	// an enrolment was refused.
	ErrUnknownSecret = errors.New("the server does not know this enrolment string; ask for a new one")
	ErrOfferExpired  = domain.ErrOfferExpired
	ErrOfferSpent    = domain.ErrOfferSpent
	ErrTryLater      = errors.New("the server cannot enrol anybody now; try again in a minute")
	// ErrOutboxFull tells that too many messages wait for an answer.
	ErrOutboxFull = errors.New("too many messages wait for the server's answer; send this one when some of them are answered")
	// ErrSessionOver tells that a message came too late for its session.
	ErrSessionOver = errors.New("the session is over; log in and send it then")
	// ErrSameID tells of a message with the id of one that waits for an answer.
	ErrSameID = errors.New("a message with this id waits for the server's answer already; give another id")
)

// RejectedError tells that a login was refused.
type RejectedError struct {
	Session    domain.SessionID // the name under which the log holds the login; may be zero
	Code       domain.RejectCode
	RetryAfter time.Duration // zero: no hint
	Text       string        // what the upstream server said; may be empty
}

func (e *RejectedError) Error() string {
	s := "login refused: " + e.Code.String()
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(" (try again in %v)", e.RetryAfter)
	}
	return s
}

// EndedError tells that the broker ended the session.
type EndedError struct {
	Session  domain.SessionID
	Cause    domain.EndCause // zero if IdledOut, or if the session is not known
	IdledOut bool            // logged out to make room for somebody else
	Text     string
}

func (e *EndedError) Error() string {
	s := "session ended"
	switch {
	case e.IdledOut:
		s += ": idle, and logged out to make room"
	case e.Cause != 0:
		s += ": " + e.Cause.String()
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// ComeBackError tells that the server asked the device to leave, and to resume
// its session after a while.
type ComeBackError struct{ After time.Duration }

func (e *ComeBackError) Error() string {
	return fmt.Sprintf("the server is restarting; back in about %v", e.After.Round(time.Second))
}

// NoCoverageError tells that the server could not be reached.
type NoCoverageError struct {
	// For is how long it was tried.
	For time.Duration
	// Err is why the last attempt failed.
	Err error
}

func (e *NoCoverageError) Error() string {
	unit := time.Second
	switch {
	case e.For < time.Millisecond: // refused at once
		return fmt.Sprintf("no coverage: %v", e.Err)
	case e.For < unit:
		unit = time.Millisecond
	}
	return fmt.Sprintf("no coverage for %v: %v", e.For.Round(unit), e.Err)
}

func (e *NoCoverageError) Unwrap() error { return e.Err }
