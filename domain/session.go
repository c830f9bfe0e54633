package domain

import (
	"cmp"
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
	// Idle is how long nothing had been heard of the device; set only where
	// that is the cause, [EndInactive].
	Idle Optional[time.Duration]
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
	var gone []*SessionEnded
	for _, svc := range l.services {
		timeout, set := svc.settings.InactivityTimeout.Get()
		if !set {
			continue
		}
		walk := svc.idle.walk()
		for s := walk.next(); s != nil && s.idleFor(at) >= timeout; s = walk.next() {
			gone = append(gone, &SessionEnded{Session: s.id, Cause: EndInactive, Idle: Some(s.idleFor(at))})
		}
	}
	// The map gave the services in any order.
	slices.SortFunc(gone, func(a, b *SessionEnded) int { return cmp.Compare(a.Session, b.Session) })
	return asEvents(gone), nil
}

func (c EndSession) when() time.Time     { return c.At }
func (c ExpireInactive) when() time.Time { return c.At }

func (e *SessionIdledOut) apply(l *Ledger, _ Position, at time.Time) {
	if s := l.seats[e.Session]; s != nil {
		l.free(s)
		s.service.queue.shorten(at)
	}
}

func (e *SessionEnded) apply(l *Ledger, _ Position, at time.Time) {
	s := l.seats[e.Session]
	if s == nil {
		return
	}
	l.free(s)
	if e.Cause != EndSuperseded { // whose seat is handed on
		s.service.queue.shorten(at)
	}
}

// endWhere gives the events that end every seat of which match is true.
func (l *Ledger) endWhere(cause EndCause, match func(*seat) bool) []Event {
	var events []Event
	for _, s := range l.seatsWhere(match) {
		events = append(events, &SessionEnded{Session: s.id, Cause: cause})
	}
	return events
}

func asEvents(ended []*SessionEnded) []Event {
	var events []Event
	for _, e := range ended {
		events = append(events, e)
	}
	return events
}
