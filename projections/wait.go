package projections

import (
	"cmp"
	"context"

	"rollcall/domain"
)

// WaitFor waits until the views of the named projections, all if none is named,
// hold the record at position: who wrote it then sees it. It fails with a
// *[StoppedError] where one has stopped in front of it, with the error that ended
// Run, and with ctx's error.
func (s *Set) WaitFor(ctx context.Context, position domain.Position, names ...string) error {
	for {
		saved, there, err := s.reached(position, names)
		if there || err != nil {
			return err
		}
		select {
		case <-saved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// reached tells whether the views hold the record at position, and gives the
// channel that tells when to look again.
func (s *Set) reached(position domain.Position, names []string) (saved chan struct{}, there bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	makers, err := s.named(names)
	if err != nil {
		return nil, false, err
	}
	for _, m := range makers {
		if m.saved < position {
			return s.saved, false, cmp.Or(m.stopped, s.failed)
		}
	}
	return nil, true, nil
}

// named gives the makers of that name, all if none is named. s.mu is held.
func (s *Set) named(names []string) ([]*liveMaker, error) {
	if len(names) == 0 {
		return s.makers, nil
	}
	var makers []*liveMaker
	for _, name := range names {
		m, err := s.maker(name)
		if err != nil {
			return nil, err
		}
		makers = append(makers, m)
	}
	return makers, nil
}

// Stopped gives a *[StoppedError] for each projection that has stopped, or the
// *[StaleError] of a view that was opened for reading and does not fit.
func (s *Set) Stopped() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var stopped []error
	for _, m := range s.makers {
		if m.stopped != nil {
			stopped = append(stopped, m.stopped)
		}
	}
	return stopped
}
