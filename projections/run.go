package projections

import (
	"context"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

// historyBatch is how many records of history are folded in before a save. The
// views are far behind, so that what matters is how many rows are written: most
// of those of a short batch change again in the next.
const historyBatch = 1 << 22

// errAnew tells that somebody else's save has failed, after which the views stand
// where they were saved last: the log has to be read again from there.
var errAnew = errors.New("the views were taken up anew")

// liveBatch is how many records are folded in at a time, and how far behind the log's
// end the views may be to follow it.
const liveBatch = 1 << 12

// CatchUp brings every view up to the record that is last when it is called. A
// projection that has stopped stays as it is; [Set.Stopped] tells.
func (s *Set) CatchUp(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.end(s.healing(func() error { return s.catchUp(ctx) }))
}

// Run brings every view up to date and keeps it there until ctx is done, which
// is no error. Records that come while a save is under way are saved together
// in the next. A projection that meets an unknown event stops and the others go
// on; Run gives an error where none can go on, because the log cannot be read
// or the file not be written.
func (s *Set) Run(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	for {
		err := s.healing(func() error { return s.run(ctx) })
		var damage *DamageError
		if !errors.As(err, &damage) {
			return s.end(ignoreDone(ctx, err))
		}
	}
}

func (s *Set) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.readOnly:
		return ErrReadOnly
	case s.running:
		return ErrRunning
	}
	if s.unloaded {
		if err := s.reload(); err != nil {
			return err
		}
	}
	s.running, s.failed = true, nil
	return nil
}

// end gives err, also to those who wait.
func (s *Set) end(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running, s.failed = false, err
	s.wake()
	return err
}

// ignoreDone gives err, or nil where it only tells that ctx is done.
func ignoreDone(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// run follows the log once it has caught up with it, and catches up again where the
// log gives an event that it cannot decode.
func (s *Set) run(ctx context.Context) error {
	for {
		for behind := true; behind; behind = s.next()+liveBatch <= s.log.Last() {
			if err := s.catchUp(ctx); err != nil {
				return err
			}
		}
		err := s.follow(ctx, s.next())
		var unknown *codec.UnknownEventError
		if !errors.As(err, &unknown) && !errors.Is(err, errAnew) {
			return err
		}
	}
}

// healing runs f once more, on a new file, where it found the file damaged.
func (s *Set) healing(f func() error) error {
	err := f()
	var damage *DamageError
	if !errors.As(err, &damage) {
		return err
	}
	if err := s.restart(damage); err != nil {
		return err
	}
	return f()
}

// restart begins every view anew on a new file.
func (s *Set) restart(damage *DamageError) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.replace(damage); err != nil {
		return err
	}
	return s.reload()
}

// reload takes the views up again as they are stored: what is in memory does
// not count after a failed save. s.mu is held.
func (s *Set) reload() error {
	s.unloaded = true
	if err := s.loadAll(); err != nil {
		return err
	}
	s.unloaded = false
	return nil
}

// catchUp reads the log from where the view furthest behind ends.
func (s *Set) catchUp(ctx context.Context) error {
	for {
		if err := s.catchUpOnce(ctx); !errors.Is(err, errAnew) {
			return err
		}
	}
}

func (s *Set) catchUpOnce(ctx context.Context) error {
	unsaved := 0
	for some, err := range records(ctx, s.log, s.next()) {
		if err != nil {
			return errors.Join(err, s.takeAll(nil, true))
		}
		unsaved += len(some)
		save := unsaved >= historyBatch
		if err := s.takeAll(some, save); err != nil {
			return err
		}
		if save {
			unsaved = 0
		}
	}
	return s.takeAll(nil, true)
}

// next gives the first position that one of the views still needs.
func (s *Set) next() domain.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.needed()
}

// needed is next with s.mu held.
func (s *Set) needed() domain.Position {
	next := s.log.Last() + 1
	for _, m := range s.makers {
		if m.stopped == nil {
			next = min(next, m.cursor+1)
		}
	}
	return next
}

// takeNew is takeAll for records that have just been written.
func (s *Set) takeNew(records []domain.Record, save bool) error {
	s.mu.Lock()
	err := s.marker.see(records)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.takeAll(records, save)
}

// takeAll folds in records, and saves what is new if that is wanted.
func (s *Set) takeAll(records []domain.Record, save bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(records) > 0 && records[0].Position > s.needed() {
		return errAnew
	}
	s.take(records)
	if !save {
		return nil
	}
	return s.save()
}

// save writes what is new in all views in one transaction, and wakes who waits
// for it. After an error the views are as they were saved last. s.mu is held.
func (s *Set) save() error {
	if s.unloaded {
		return s.reload()
	}
	if !slices.ContainsFunc(s.makers, (*liveMaker).unsaved) {
		return nil
	}
	if err := s.markAll(); err != nil {
		return err
	}
	err := s.write(func(tx *bbolt.Tx) error {
		for _, m := range s.makers {
			if err := m.save(tx); err != nil {
				return err
			}
		}
		return nil
	})
	var damage *DamageError
	switch {
	case errors.As(err, &damage):
		return err
	case err != nil:
		return errors.Join(err, s.reload())
	}
	for _, m := range s.makers {
		m.saved, m.stored = m.cursor, true
	}
	s.wake()
	return nil
}

// markAll makes the marks with which the views are saved. s.mu is held.
func (s *Set) markAll() (err error) {
	for _, m := range s.makers {
		if !m.unsaved() {
			continue
		}
		if m.mark, err = s.marker.to(context.Background(), m.cursor); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) wake() {
	close(s.saved)
	s.saved = make(chan struct{})
}
