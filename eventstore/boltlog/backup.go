package boltlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
)

// Backup writes the log as it is now, side records included, to a new file at
// path, while the log goes on being written. The file is whole and synced before
// it gets its name; [OpenFile] reads it. A file of that name is not touched: the
// error is then an [fs.ErrExist].
//
// Every block is checked on the way, so that damage is told now and not when the
// backup is needed.
func (l *Log) Backup(ctx context.Context, path string) error {
	if err := l.readable(ctx); err != nil {
		return err
	}
	end := *l.tail.Load()
	err := create(path, l.id, func(db *bbolt.DB) error {
		return errors.Join(l.copyBlocks(ctx, db, end), l.copySides(ctx, db, end))
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("back up the log: %w; choose another name", err)
	}
	if err != nil {
		return fmt.Errorf("back up the log to %s: %w", path, err)
	}
	return nil
}

// copyBytes is how much goes into one transaction of a backup.
const copyBytes = 8 << 20

func (l *Log) copyBlocks(ctx context.Context, db *bbolt.DB, end tail) error {
	var gathered []block
	size := 0
	flush := func() error {
		err := db.Update(func(tx *bbolt.Tx) error { return putBlocks(tx, gathered) })
		gathered, size = gathered[:0], 0
		return err
	}
	for b, err := range l.blocks(ctx, 1, end.last) {
		if err != nil {
			return err
		}
		gathered, size = append(gathered, b), size+len(b.stored)
		if size < copyBytes {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error { return putTail(tx, end) })
}

func putBlocks(tx *bbolt.Tx, blocks []block) error {
	bucket := tx.Bucket(bucketBlocks)
	bucket.FillPercent = 1
	for _, b := range blocks {
		key := blockKey(b.First())
		if err := bucket.Put(key, seal(key, b.stored)); err != nil {
			return err
		}
	}
	return nil
}

// copySides copies the side records under the positions up to the end; those
// behind it came while the blocks were copied.
func (l *Log) copySides(ctx context.Context, db *bbolt.DB, end tail) error {
	var after []byte
	for {
		page, err := l.sidePage(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		after = sideKey(page[len(page)-1].SideKey)
		batch := eventstore.Batch{}
		for _, s := range page {
			if s.Position <= end.last {
				batch.Sides = append(batch.Sides, s)
			}
		}
		if err := db.Update(func(tx *bbolt.Tx) error { return putSides(tx, batch) }); err != nil {
			return err
		}
	}
}
