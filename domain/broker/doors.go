package broker

import (
	"context"
	"sync"

	"rollcall/domain"
)

// Start records that the broker runs and lets devices in. It is called once, and
// gives [ErrStopped] after Stop.
func (b *Broker) Start(ctx context.Context) error {
	err := b.seq.do(ctx, func(t *turn) error {
		_, err := t.decide(domain.StartBroker{At: t.now, Version: b.version})
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
	return nil
}

// Stop lets nobody in any more, closes every link and every upstream
// conversation, and returns when all that was decided is durable. The sessions
// keep their seats: their devices resume them after the next start. When ctx is
// done it no longer waits for upstream servers and slow links. It stops what
// [Open] began also where Start was never called.
func (b *Broker) Stop(ctx context.Context) error {
	b.stopOnce.Do(func() { b.stopErr = b.shutDown(ctx) })
	return b.stopErr
}

func (b *Broker) shutDown(ctx context.Context) error {
	wasOpen, sessions := b.closeDoors()
	b.seq.hurry()
	var parting sync.WaitGroup
	for _, s := range sessions {
		parting.Go(s.suspend)
	}
	wait(ctx, &parting)
	wait(ctx, &b.inside)
	var err error
	if wasOpen && !b.seq.full.Load() {
		err = b.seq.do(context.WithoutCancel(ctx), func(t *turn) error {
			_, err := t.decide(domain.StopBroker{At: t.now})
			return err
		})
	}
	b.seq.stop() // from here on no session ends any more
	wait(ctx, &b.ending)
	b.keeper.stop(ctx)
	return err
}

// wait waits for the group, or until ctx is done.
func wait(ctx context.Context, group *sync.WaitGroup) {
	all := make(chan struct{})
	go func() {
		defer close(all)
		group.Wait()
	}()
	select {
	case <-all:
	case <-ctx.Done():
	}
}

// closeDoors gives the sessions there are, and sees to it that none is added.
func (b *Broker) closeDoors() (wasOpen bool, sessions []*session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wasOpen, b.open, b.stopped = b.open, false, true
	if b.unwatch != nil {
		b.unwatch()
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
func (b *Broker) asleep(seat domain.Seat) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return nil
	}
	s := b.sessions[seat.Session]
	if s == nil {
		s = &session{b: b, id: seat.Session, device: seat.Device, service: seat.Service, fence: seat.Fence, uncovered: !seat.Covered}
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
