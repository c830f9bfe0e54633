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
	return []Event{&CoverageLost{Session: c.Session, Silent: s.idleFor(at)}}, nil
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
	case s.device.id != c.Device:
		return nil, ErrUnknownSession
	case c.Fence <= s.fence:
		return nil, ErrStaleFence
	}
	return []Event{&SessionResumed{Session: c.Session, Fence: c.Fence}}, nil
}

func (c LoseCoverage) when() time.Time   { return c.At }
func (c RegainCoverage) when() time.Time { return c.At }
func (c ResumeSession) when() time.Time  { return c.At }

func (e *CoverageLost) apply(l *Ledger, _ Position, at time.Time) {
	if s, err := l.live(e.Session); err == nil {
		s.service.idle.move(s, false, at.Add(-e.Silent).UnixMilli())
	}
}

func (e *CoverageRegained) apply(l *Ledger, _ Position, at time.Time) {
	if s, err := l.live(e.Session); err == nil {
		s.service.idle.move(s, true, at.UnixMilli())
	}
}

func (e *SessionResumed) apply(l *Ledger, _ Position, at time.Time) {
	if s, err := l.live(e.Session); err == nil {
		s.fence = max(s.fence, e.Fence)
		s.service.idle.move(s, true, at.UnixMilli())
	}
}
