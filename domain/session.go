package domain

import (
	"slices"
	"time"
)

// SessionIdledOut tells that a full house logged an idle session out to make
// room.
type SessionIdledOut struct {
	Session SessionID
	// For is the login that room was made for.
	For SessionID
	// Idle is how long nothing had been heard of the device.
	Idle time.Duration
	// OutOfCoverage tells whether the device was known to be out of reach, not
	// only silent.
	OutOfCoverage bool
}

// SessionEnded tells that a session is over and its seat free.
type SessionEnded struct {
	Session SessionID
	Cause   EndCause
}

// EndSession ends a session, live or pending.
type EndSession struct {
	At      time.Time
	Session SessionID
	Cause   EndCause
}

// ExpireInactive ends every session that has been out of coverage or silent for
// its service's inactivity timeout.
type ExpireInactive struct{ At time.Time }

// Type gives TypeSessionIdledOut.
func (*SessionIdledOut) Type() EventType { return TypeSessionIdledOut }

// Type gives TypeSessionEnded.
func (*SessionEnded) Type() EventType { return TypeSessionEnded }

func (c EndSession) decide(l *Ledger, _ time.Time) ([]Event, error) {
	if l.seats[c.Session] == nil {
		return nil, ErrUnknownSession
	}
	return []Event{&SessionEnded{Session: c.Session, Cause: c.Cause}}, nil
}

func (c ExpireInactive) decide(l *Ledger, at time.Time) ([]Event, error) {
	var gone []SessionID
	for _, svc := range l.services {
		timeout, set := svc.settings.InactivityTimeout.Get()
		if !set {
			continue
		}
		for s := svc.idle.head; s != nil && at.Sub(s.heard) >= timeout; s = s.next {
			gone = append(gone, s.id)
		}
	}
	slices.Sort(gone) // the map gave the services in any order
	return endAll(gone, EndInactive), nil
}

func (c EndSession) when() time.Time     { return c.At }
func (c ExpireInactive) when() time.Time { return c.At }

func (e *SessionIdledOut) apply(l *Ledger, _ Position, _ time.Time) {
	if s := l.seats[e.Session]; s != nil {
		l.free(s)
	}
}

func (e *SessionEnded) apply(l *Ledger, _ Position, _ time.Time) {
	if s := l.seats[e.Session]; s != nil {
		l.free(s)
	}
}

// endWhere gives the events that end every seat of which match is true.
func (l *Ledger) endWhere(cause EndCause, match func(*seat) bool) []Event {
	var ids []SessionID
	for _, s := range l.sorted() {
		if match(s) {
			ids = append(ids, s.id)
		}
	}
	return endAll(ids, cause)
}

func endAll(ids []SessionID, cause EndCause) []Event {
	events := make([]Event, len(ids))
	for i, id := range ids {
		events[i] = &SessionEnded{Session: id, Cause: cause}
	}
	return events
}
