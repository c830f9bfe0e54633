package broker

import (
	"context"

	"rollcall/domain"
)

// Start records that the broker runs and lets devices in. It is called once, and
// gives [ErrStopped] after Stop.
func (b *Broker) Start(ctx context.Context) error {
	err := b.seq.do(ctx, func(t *turn) error {
		t.findSleepers(&b.sleepers)
		_, err := t.decide(domain.StartBroker{At: t.now, Version: b.version})
		t.seq.started = err == nil
		return err
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return ErrStopped
	}
	b.open = true
	b.seq.patient.Store(true)
	b.watchSilence()
	b.sweepDaily()
	return nil
}

// closeDoors gives the sessions there are, and sees to it that none is added.
func (b *Broker) closeDoors() (wasOpen bool, sessions []*session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wasOpen, b.open, b.stopped = b.open, false, true
	if b.unwatch != nil {
		b.unwatch()
	}
	if b.unsweep != nil {
		b.unsweep()
	}
	for _, s := range b.sessions {
		sessions = append(sessions, s)
	}
	return wasOpen, sessions
}

// enter lets a login or a resume in, which leaves by leave; false while the
// doors are closed.
func (b *Broker) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open {
		b.inside.Add(1)
	}
	return b.open
}

func (b *Broker) leave() { b.inside.Done() }

func (b *Broker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// register adds a session that begins; false once the doors are closed.
func (b *Broker) register(s *session) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open {
		b.sessions[s.id] = s
	}
	return b.open
}

// asleep gives the one session object for a live seat, and makes it where there
// is none yet since the broker started; nil once the doors are closed.
func (b *Broker) asleep(t *turn, seat domain.Seat) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return nil
	}
	s := b.sessions[seat.Session]
	if s == nil {
		s = b.newSession(t, seat)
		b.sessions[s.id] = s
	}
	return s
}

func (b *Broker) unregister(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions[s.id] == s {
		delete(b.sessions, s.id)
	}
}

func (b *Broker) session(id domain.SessionID) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[id]
}
