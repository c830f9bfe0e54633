package domain

import "time"

// LoginRequested tells that a device asked to log in. Its position is the
// [SessionID] of all that follows. Service and Account are zero where no such
// service is configured or the person has no such account; the names that were
// asked for are then side records.
type LoginRequested struct {
	Device  DeviceID
	Service ServiceID
	Account AccountID
}

// LoginAdmitted tells that a login has been given a seat and may be tried
// upstream. The other fields are the evidence for the decision.
type LoginAdmitted struct {
	Session SessionID
	// Seats taken on the service, this one included.
	Seats uint32
	// Limit is the maximum or total that was looked at; unset if there is none.
	Limit Optional[uint32]
	// LongestIdle is how long the longest idle of the remaining sessions had
	// been idle; set only where idleness was looked at and somebody remained.
	LongestIdle Optional[time.Duration]
}

// LoginAccepted tells that the upstream server has let the person in: the
// session is live, and the link that logged in has the number 1.
type LoginAccepted struct{ Session SessionID }

// LoginRejected tells that a login was refused, before or after it was given a
// seat; a seat is free again.
type LoginRejected struct {
	Session SessionID
	Code    RejectCode
	// Seats, Limit and LongestIdle are the evidence where the house was full,
	// as in [LoginAdmitted].
	Seats       uint32
	Limit       Optional[uint32]
	LongestIdle Optional[time.Duration]
	// RetryAfter tells the device when to try again, where that can be told.
	RetryAfter Optional[time.Duration]
	// IdleSeats is how many sessions had been idle for the idle timeout and yet
	// stayed, because logging them out would not have made room (evict fewest).
	IdleSeats uint32
	// Queue is evidence too, of Server Busy: how far into the future devices had
	// been told to return before this one. Unset in logs of an earlier version,
	// which gave each the same RetryAfter.
	Queue Optional[time.Duration]
}

// RequestLogin asks for a seat. Service and Account are zero where the names
// the device gave are unknown.
type RequestLogin struct {
	At      time.Time
	Device  DeviceID
	Service ServiceID
	Account AccountID
}

// AcceptLogin tells that the upstream login of a pending session succeeded.
type AcceptLogin struct {
	At      time.Time
	Session SessionID
}

// RejectLogin tells that the upstream login of a pending session failed.
type RejectLogin struct {
	At      time.Time
	Session SessionID
	Code    RejectCode
}

// Type gives TypeLoginRequested.
func (*LoginRequested) Type() EventType { return TypeLoginRequested }

// Type gives TypeLoginAdmitted.
func (*LoginAdmitted) Type() EventType { return TypeLoginAdmitted }

// Type gives TypeLoginAccepted.
func (*LoginAccepted) Type() EventType { return TypeLoginAccepted }

// Type gives TypeLoginRejected.
func (*LoginRejected) Type() EventType { return TypeLoginRejected }

func (c RequestLogin) decide(l *Ledger, at time.Time) ([]Event, error) {
	a, err := newAdmission(l, c, at)
	if err != nil {
		return nil, err
	}
	a.decide()
	return a.events, nil
}

func (c AcceptLogin) decide(l *Ledger, _ time.Time) ([]Event, error) {
	if err := l.checkPending(c.Session); err != nil {
		return nil, err
	}
	return []Event{&LoginAccepted{Session: c.Session}}, nil
}

func (c RejectLogin) decide(l *Ledger, _ time.Time) ([]Event, error) {
	if err := l.checkPending(c.Session); err != nil {
		return nil, err
	}
	e := &LoginRejected{Session: c.Session, Code: c.Code}
	if c.Code == RejectBadCredentials {
		e.RetryAfter = Some(backOff(l.seats[c.Session].device.failures + 1))
	}
	return []Event{e}, nil
}

func (c RequestLogin) when() time.Time { return c.At }
func (c AcceptLogin) when() time.Time  { return c.At }
func (c RejectLogin) when() time.Time  { return c.At }

func (l *Ledger) checkPending(id SessionID) error {
	switch s := l.seats[id]; {
	case s == nil:
		return ErrUnknownSession
	case s.live:
		return ErrNotPending
	}
	return nil
}

func (e *LoginRequested) apply(l *Ledger, p Position, _ time.Time) {
	l.asked = Asked{Session: SessionID(p), Request: *e}
}

func (e *LoginAdmitted) apply(l *Ledger, _ Position, at time.Time) {
	if l.asked.Session != e.Session {
		return
	}
	r := l.asked.Request
	l.asked = Asked{}
	d, s := l.devices[r.Device], l.services[r.Service]
	if d == nil || s == nil {
		return
	}
	l.take(&seat{id: e.Session, device: d, account: r.Account, service: s, covered: true, heard: at.UnixMilli()})
}

func (e *LoginAccepted) apply(l *Ledger, _ Position, at time.Time) {
	s := l.seats[e.Session]
	if s == nil || s.live {
		return
	}
	s.live, s.covered, s.heard, s.fence = true, true, at.UnixMilli(), 1
	s.service.idle.add(s)
	s.device.failures = 0
}

func (e *LoginRejected) apply(l *Ledger, _ Position, at time.Time) {
	if l.asked.Session == e.Session {
		l.enqueue(l.asked.Request.Service, e, at)
		l.asked = Asked{}
	}
	s := l.seats[e.Session]
	if s == nil {
		return
	}
	if e.Code == RejectBadCredentials {
		s.device.failures++
		s.device.failed = at.UnixMilli()
	}
	l.free(s)
	s.service.queue.shorten(at)
}

// enqueue takes in when a device that found the house full is to return.
func (l *Ledger) enqueue(id ServiceID, e *LoginRejected, at time.Time) {
	if s := l.services[id]; s != nil && e.Code == RejectServerBusy && e.Queue.IsSet() {
		s.queue.add(at, e.RetryAfter.Or(0))
	}
}
