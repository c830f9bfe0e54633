package broker

import (
	"context"
	"errors"
	"sync"

	"rollcall/domain"
)

// Detach tells that the link is gone, see [Session].
func (a attachment) Detach() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session.link == a.link {
		a.dropLink()
	}
}

// dropLink gives the link up and waits for the device to come back, for the
// grace at first. The lock is held.
func (s *session) dropLink() {
	s.link.Close()
	s.link, s.said = nil, nil
	s.outbox.rest()
	s.news.rest()
	if s.over {
		return
	}
	s.stopGrace()
	s.ungrace = s.b.clock.AfterFunc(s.b.timing.Grace, s.graceOver)
}

func (s *session) stopGrace() {
	if s.ungrace != nil {
		s.ungrace()
		s.ungrace = nil
	}
}

// graceOver records that coverage is lost, unless the device is back.
func (s *session) graceOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link == nil {
		s.loseCoverage()
	}
}

// loseCoverage records that the device is out of reach. The lock is held, and let go of
// while the disk takes its time: what is decided next comes behind it in any case.
func (s *session) loseCoverage() {
	if s.over || s.uncovered {
		return
	}
	s.uncovered = true
	await := s.b.seq.enqueue(context.Background(), func(t *turn) error {
		_, err := t.decide(domain.LoseCoverage{At: t.now, Session: s.id})
		return err
	})
	s.mu.Unlock()
	err := await()
	s.mu.Lock()
	if err != nil && !errors.Is(err, domain.ErrUnknownSession) {
		s.b.logger.Warn("cannot record lost coverage", "session", s.id, "error", err)
	}
}

// regainCoverage records that a device which had gone silent is heard again on
// its link. The lock is held; so where there is no room for the record nobody waits for
// some, and the link ends. The device is told when it comes back.
func (s *session) regainCoverage(ctx context.Context) error {
	if !s.uncovered {
		return nil
	}
	err := s.b.seq.finish(ctx, func(t *turn) error {
		_, err := t.decide(domain.RegainCoverage{At: t.now, Session: s.id})
		return err
	})
	if err == nil {
		s.uncovered = false
	}
	return err
}

// watchSilence looks, once a while, for devices whose link stands and says
// nothing. The broker's lock is held.
func (b *Broker) watchSilence() {
	b.unwatch = b.clock.AfterFunc(b.timing.StatusInterval/2, func() {
		var silent sync.WaitGroup // all at once, so that they share commits
		for _, s := range b.live() {
			if s.isSilent() {
				silent.Go(s.checkSilence)
			}
		}
		silent.Wait()
		b.turnstile.forget()
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.open {
			b.watchSilence()
		}
	})
}

// live gives the sessions there are.
func (b *Broker) live() []*session {
	b.mu.Lock()
	defer b.mu.Unlock()
	sessions := make([]*session, 0, len(b.sessions))
	for _, s := range b.sessions {
		sessions = append(sessions, s)
	}
	return sessions
}

// isSilent tells whether two status messages in a row, and half an interval of
// patience, have passed in silence. A session that is busy is not silent.
func (s *session) isSilent() bool {
	if !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	return s.silent()
}

// checkSilence records lost coverage where the device is silent still.
func (s *session) checkSilence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent() {
		s.loseCoverage()
	}
}

// silent is told with the lock held.
func (s *session) silent() bool {
	return s.link != nil && !s.uncovered && s.b.clock.Elapsed()-s.heard >= s.interval*5/2
}
