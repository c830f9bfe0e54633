package domain

import "time"

// CoverageLost tells that a device has been out of reach for longer than the
// grace: its link is gone, or silent.
type CoverageLost struct {
	Session SessionID
	// Silent is how long nothing had been heard of the device.
	Silent time.Duration
}

// CoverageRegained tells that a device out of coverage was heard again on the
// link it already had.
type CoverageRegained struct{ Session SessionID }

// SessionResumed tells that a device came back on a new link. What an older link
// still says or is sent is void from now on.
type SessionResumed struct {
	Session SessionID
	// Fence is the number of the link; it only ever rises.
	Fence uint32
}

// LoseCoverage tells that a device is out of reach.
type LoseCoverage struct {
	At      time.Time
	Session SessionID
}

// RegainCoverage tells that a device is heard again on its old link.
type RegainCoverage struct {
	At      time.Time
	Session SessionID
}

// ResumeSession tells that a device has come back on a new link with the number
// Fence.
type ResumeSession struct {
	At      time.Time
	Session SessionID
	Device  DeviceID
	Fence   uint32
}

// Type gives TypeCoverageLost.
func (*CoverageLost) Type() EventType { return TypeCoverageLost }

// Type gives TypeCoverageRegained.
func (*CoverageRegained) Type() EventType { return TypeCoverageRegained }

// Type gives TypeSessionResumed.
func (*SessionResumed) Type() EventType { return TypeSessionResumed }

func (c LoseCoverage) decide(l *Ledger, at time.Time) ([]Event, error) {
	s, err := l.live(c.Session)
	if err != nil || !s.covered {
		return nil, err
	}
	return []Event{&CoverageLost{Session: c.Session, Silent: at.Sub(s.heard)}}, nil
}

func (c RegainCoverage) decide(l *Ledger, _ time.Time) ([]Event, error) {
	s, err := l.live(c.Session)
	if err != nil || s.covered {
		return nil, err
	}
	return []Event{&CoverageRegained{Session: c.Session}}, nil
}

func (c ResumeSession) decide(l *Ledger, _ time.Time) ([]Event, error) {
	s, err := l.live(c.Session)
	switch {
	case err != nil:
		return nil, err
	case s.device != c.Device:
		return nil, ErrUnknownSession
	case c.Fence <= s.fence:
		return nil, ErrStaleFence
	}
	return []Event{&SessionResumed{Session: c.Session, Fence: c.Fence}}, nil
}

func (c LoseCoverage) when() time.Time   { return c.At }
func (c RegainCoverage) when() time.Time { return c.At }
func (c ResumeSession) when() time.Time  { return c.At }

func (l *Ledger) live(id SessionID) (*seat, error) {
	s := l.seats[id]
	if s == nil || !s.live {
		return nil, ErrUnknownSession
	}
	return s, nil
}

func (e *CoverageLost) apply(l *Ledger, _ Position, at time.Time) {
	if s := l.seats[e.Session]; s != nil {
		s.covered = false
		s.service.idle.touch(s, at.Add(-e.Silent))
	}
}

func (e *CoverageRegained) apply(l *Ledger, _ Position, at time.Time) { l.heard(e.Session, at) }

func (e *SessionResumed) apply(l *Ledger, _ Position, at time.Time) {
	if s := l.seats[e.Session]; s != nil {
		s.fence = e.Fence
	}
	l.heard(e.Session, at)
}

// heard marks a seat as covered and heard of at the time at.
func (l *Ledger) heard(id SessionID, at time.Time) {
	if s := l.seats[id]; s != nil {
		s.covered = true
		s.service.idle.touch(s, at)
	}
}
