package boltlog

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
	"rollcall/eventstore/boltlog/internal/journal"
	"rollcall/eventstore/codec"
)

const (
	// runEvents is from how many events on a run becomes a block, and blockEvents
	// how many it takes where so many are there.
	runEvents   = 4096
	blockEvents = 8192
	// packEvents is how many events wait in the journal before the packer begins.
	packEvents = 64 * runEvents
	// packBytes is about how much goes into one transaction.
	packBytes = 8 << 20
	// mostWaiting is how many segments may wait to be packed. Then appends wait.
	mostWaiting = 8
	// mostCopying is how many may wait while a backup keeps the packer still.
	mostCopying = 64
)

// run is a number of whole batches that are packed together.
type run struct {
	first   eventstore.Position
	records int
	block   []byte // joined; empty where there are no records
	frames  []frame
}

// end gives the run's last frame, behind which the log goes on.
func (r run) end() frame { return r.frames[len(r.frames)-1] }

// runs joins the state's frames into runs. What is left over at the end is no run
// unless short ones are taken too.
func runs(s *state, short bool) ([]run, error) {
	var all []run
	rest := s.frames
	first := s.packed.last + 1
	for total := 0; len(rest) > 0 && total < packBytes; {
		r, err := gather(rest, first)
		if err != nil {
			return nil, err
		}
		if r.records < runEvents && len(r.frames) == len(rest) && !short {
			break
		}
		all = append(all, r)
		total += len(r.block)
		rest, first = rest[len(r.frames):], r.end().end.last+1
	}
	return all, nil
}

// gather takes frames until they fill a block.
func gather(frames []frame, first eventstore.Position) (run, error) {
	r := run{first: first}
	var blocks []codec.Block
	size := 0
	for i, f := range frames {
		if i > 0 && (r.records >= blockEvents || size+len(f.block) > codec.MaxBlock/2) {
			break
		}
		r.frames = frames[:i+1]
		r.records += f.records
		for _, s := range f.sides {
			size += len(s.Value)
		}
		if f.records == 0 {
			continue
		}
		b, err := codec.OpenBlock(f.block)
		if err != nil {
			return run{}, err
		}
		blocks = append(blocks, b)
		size += len(f.block)
	}
	if len(blocks) > 0 {
		r.block = codec.AppendJoined(nil, blocks)
	}
	return r, nil
}

// pack moves runs from the journal into the database, and frees the segments that
// held them. With short, everything goes, full runs or not.
//
// An error that is an [eventstore.ErrFull] has changed nothing. After any other
// the log takes nothing more.
func (l *Log) pack(short bool) error {
	l.packing.Lock()
	defer l.packing.Unlock()
	if _, err := l.watch(); err != nil {
		return err
	}
	if err := l.failure(); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = l.packSome(short || l.journal.Waiting() > 1); err != nil {
			err = fmt.Errorf("move batches from the journal into %s: %w", l.path, err)
			if !errors.Is(err, eventstore.ErrFull) {
				l.fail(err)
			}
			return err
		}
	}
	return nil
}

// packSome packs what fits one transaction, and tells whether it was anything;
// packing is held.
func (l *Log) packSome(short bool) (bool, error) {
	s := l.state.Load()
	all, err := runs(s, short)
	if err != nil {
		return false, err
	}
	if len(all) > 0 {
		failpoint.Reach(failpoint.PackBefore)
		if err := l.packRuns(s, all); err != nil {
			return false, err
		}
	}
	return len(all) > 0, l.journal.Release(l.packedFrame)
}

// packRuns moves some runs in one transaction; packing is held.
func (l *Log) packRuns(s *state, all []run) error {
	last, sealed := all[len(all)-1].end(), s.sealed
	err := guard(l.path, s.packed.last+1, func() error {
		return l.db.Update(func(tx *bbolt.Tx) (err error) {
			for _, r := range all {
				if sealed, err = l.putRun(tx, r, sealed); err != nil {
					return err
				}
			}
			if err := putTail(tx, last.end); err != nil {
				return err
			}
			err = errors.Join(putJournal(tx, l.journalID, last.number), putReached(tx, s.frames[len(s.frames)-1].number, s.end.last))
			failpoint.Reach(failpoint.PackFilled)
			return err
		})
	})
	if err != nil {
		return packError(err)
	}
	failpoint.Reach(failpoint.PackCommitted)
	l.packedFrame = last.number
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetNoted(s.frames, last.number)
	l.state.Store(l.state.Load().without(last.number, last.end, sealed))
	return nil
}

// packError tells where a transaction failed for want of room before anything of
// it was synced: bbolt makes its file longer first, then writes its pages, then
// syncs, and writes its header last. Up to the sync nothing has changed. An error of
// a sync is none of these.
func packError(err error) error {
	if err == nil {
		return nil
	}
	path := (*fs.PathError)(nil)
	if errors.As(err, &path) && journal.IsFull(err) || isResize(err) {
		return fmt.Errorf("%w: %w", eventstore.ErrFull, err)
	}
	return err
}

// isResize tells whether bbolt could not make its file longer for want of room,
// which it tells in words only.
func isResize(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "file resize error: ") && slices.ContainsFunc(journal.FullErrors, func(full syscall.Errno) bool {
		return strings.HasSuffix(text, full.Error())
	})
}

// putRun writes a run, whose link goes behind sealed, and gives the boundary
// behind it.
func (l *Log) putRun(tx *bbolt.Tx, r run, sealed eventstore.Boundary) (eventstore.Boundary, error) {
	if r.records > 0 {
		value := compress(r.records, r.block)
		if l.canLink(sealed, r.first) {
			sealed = behind(sealed, r.end().end.last, value)
			if err := putLink(tx, sealed); err != nil {
				return sealed, err
			}
		}
		if err := putBlock(tx, r.first, value); err != nil {
			return sealed, err
		}
	}
	return sealed, putNet(tx, netOf(r.frames))
}

// netOf gives what frames together come to for the side records: nil for those that
// are forgotten.
func netOf(frames []frame) map[eventstore.SideKey]*eventstore.Side {
	net := make(map[eventstore.SideKey]*eventstore.Side)
	for _, f := range frames {
		for _, s := range f.sides {
			net[s.SideKey] = &s
		}
		for _, k := range f.forget {
			net[k] = nil
		}
	}
	return net
}

// putNet does to the side records what frames together come to. One that was
// stored and forgotten between two packings never reaches the database.
func putNet(tx *bbolt.Tx, net map[eventstore.SideKey]*eventstore.Side) error {
	batch := eventstore.Batch{}
	for k, s := range net {
		if s == nil {
			batch.Forget = append(batch.Forget, k)
		} else {
			batch.Sides = append(batch.Sides, *s)
		}
	}
	slices.SortFunc(batch.Sides, func(a, b eventstore.Side) int { return compareKeys(a.SideKey, b.SideKey) })
	slices.SortFunc(batch.Forget, compareKeys)
	return putSides(tx, batch)
}

// packer packs whenever it is woken, until the log is closed. Where there is no
// room it leaves things as they are: the next time it is woken it tries again.
func (l *Log) packer() {
	l.catchUp()
	for range l.wake {
		l.catchUp()
		l.pack(false) // what is not for want of room, the next append tells
	}
}

// wakePacker has the packer look, if there is enough to do.
func (l *Log) wakePacker(s *state) {
	if s.events < packEvents && !l.journal.Busy() {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyhow
	}
}

// Pack moves everything from the journal into log.db, even where that makes small
// blocks. Appends, the packer and readers may run meanwhile.
func (l *Log) Pack() error {
	if _, err := l.watch(); err != nil {
		return err
	}
	if l.readOnly {
		return eventstore.ErrReadOnly
	}
	l.catchUp()
	return closedError(l.pack(true))
}
