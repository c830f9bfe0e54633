package domain

import "time"

// BrokerStarted tells that the broker runs. Every live session is out of
// coverage and was last heard of now, as far as anybody can prove.
type BrokerStarted struct {
	// Version is the program's version.
	Version string
}

// BrokerStopped tells that the broker stopped as planned. After a crash there
// is none.
type BrokerStopped struct{}

// StartBroker opens the doors. Logins that were waiting for an upstream
// connection when the last run ended are refused: nobody was told that they
// were through.
type StartBroker struct {
	At      time.Time
	Version string
}

// StopBroker closes the doors.
type StopBroker struct{ At time.Time }

// Type gives TypeBrokerStarted.
func (*BrokerStarted) Type() EventType { return TypeBrokerStarted }

// Type gives TypeBrokerStopped.
func (*BrokerStopped) Type() EventType { return TypeBrokerStopped }

func (c StartBroker) decide(l *Ledger, _ time.Time) ([]Event, error) {
	events := []Event{&BrokerStarted{Version: c.Version}}
	for _, s := range l.seatsWhere(func(s *seat) bool { return !s.live }) {
		events = append(events, &LoginRejected{Session: s.id, Code: RejectInterrupted})
	}
	return events, nil
}

func (c StopBroker) decide(*Ledger, time.Time) ([]Event, error) {
	return []Event{&BrokerStopped{}}, nil
}

func (c StartBroker) when() time.Time { return c.At }
func (c StopBroker) when() time.Time  { return c.At }

func (e *BrokerStarted) apply(l *Ledger, _ Position, at time.Time) {
	seats := l.seatsWhere(func(*seat) bool { return true })
	for _, s := range seats {
		s.service.idle = idleOrder{}
	}
	for _, s := range seats { // in their new order: each finds its place at once
		s.covered, s.heard, s.prev, s.next = false, at.UnixMilli(), nil, nil
		if s.live {
			s.service.idle.add(s)
		}
	}
}

func (e *BrokerStopped) apply(*Ledger, Position, time.Time) {}
