package boltlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// Backup writes the log as it is at one moment, side records included, to a new file
// at path, while the log goes on being written. The file is whole and synced before
// it gets its name; [OpenFile] reads it. A file of that name is not touched: the
// error is then an [fs.ErrExist].
//
// Every block is checked on the way, so that damage is told now and not when the
// backup is needed.
func (l *Log) Backup(ctx context.Context, path string) error {
	return l.backup(ctx, path, &l.packing)
}

// backup is Backup that holds packing where it needs it.
func (l *Log) backup(ctx context.Context, path string, packing sync.Locker) error {
	if err := l.readable(ctx); err != nil {
		return err
	}
	if broken := l.state.Load().broken; broken != nil {
		return fmt.Errorf("back up the log: %w", broken)
	}
	err := create(path, l.id, func(db *bbolt.DB) error {
		now, err := l.copySides(ctx, db, packing)
		if err == nil {
			err = l.copyBlocks(ctx, db, now)
		}
		failpoint.Reach(failpoint.BackupFilled)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("back up the log: %w; choose another name", err)
	}
	if err != nil {
		return fmt.Errorf("back up the log to %s: %w", path, err)
	}
	return nil
}

// copyBlocks copies the packed blocks as they are, and packs what the journal
// holds.
func (l *Log) copyBlocks(ctx context.Context, db *bbolt.DB, now *state) error {
	c := copier{db: db}
	for b, err := range l.blocks(ctx, 1, now.packed.last) {
		if err == nil {
			err = l.checkBlock(b)
		}
		if err == nil {
			err = c.add(b.first, b.last, b.value)
		}
		if err != nil {
			return err
		}
	}
	for s := now; len(s.frames) > 0; {
		all, err := runs(s, true)
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.records > 0 {
				err = errors.Join(err, c.add(r.first, r.end().end.last, compress(r.records, r.block)))
			}
		}
		if err != nil {
			return err
		}
		end := all[len(all)-1].end()
		s = s.without(end.number, end.end, s.sealed)
	}
	if err := c.flush(); err != nil {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error { return putTail(tx, now.end) })
}

// checkBlock reads a whole block.
func (l *Log) checkBlock(b stored) error {
	opened, err := b.open(new([]byte))
	last := b.first - 1
	if err == nil {
		last, _, err = opened.End()
	}
	switch {
	case err != nil:
		return l.damage(b.first, err.Error())
	case last != b.last:
		return l.missing(last+1, b.last)
	}
	return nil
}

// copyBytes is how much goes into one transaction of a backup.
const copyBytes = 8 << 20

// copier writes blocks and the chain over them, some in a transaction.
type copier struct {
	db     *bbolt.DB
	firsts []eventstore.Position
	values [][]byte
	links  []eventstore.Boundary
	sealed eventstore.Boundary
	size   int
}

func (c *copier) add(first, last eventstore.Position, value []byte) error {
	c.sealed = behind(c.sealed, last, value)
	c.firsts, c.values, c.links = append(c.firsts, first), append(c.values, value), append(c.links, c.sealed)
	c.size += len(value)
	if c.size < copyBytes {
		return nil
	}
	return c.flush()
}

func (c *copier) flush() error {
	err := c.db.Update(func(tx *bbolt.Tx) error {
		for i, first := range c.firsts {
			err := putBlock(tx, first, c.values[i])
			if err = errors.Join(err, putLink(tx, c.links[i])); err != nil {
				return err
			}
		}
		return nil
	})
	c.firsts, c.values, c.links, c.size = nil, nil, nil, 0
	return err
}

// copySides copies the side records as of one moment, and gives the log's state then.
// Nothing is packed meanwhile, so that those in the database stand still; what the
// journal says of them is in the state. Records never change: they can wait.
//
// What the journal has replaced or deleted is not copied first: its bytes would stay.
func (l *Log) copySides(ctx context.Context, db *bbolt.DB, packing sync.Locker) (*state, error) {
	packing.Lock()
	defer packing.Unlock()
	l.copying.Store(true)
	defer l.copying.Store(false)
	now := l.state.Load()
	changed := netOf(now.frames)
	for after, more := []byte(nil), true; more; {
		if err := l.readable(ctx); err != nil {
			return nil, err
		}
		page, upTo, err := l.packedSides(after)
		if err != nil {
			return nil, err
		}
		page = slices.DeleteFunc(page, func(s eventstore.Side) bool {
			_, ok := changed[s.SideKey]
			return ok
		})
		if err := db.Update(func(tx *bbolt.Tx) error { return putSides(tx, eventstore.Batch{Sides: page}) }); err != nil {
			return nil, err
		}
		after, more = upTo, upTo != nil
	}
	maps.DeleteFunc(changed, func(_ eventstore.SideKey, s *eventstore.Side) bool { return s == nil })
	return now, db.Update(func(tx *bbolt.Tx) error { return putNet(tx, changed) })
}
