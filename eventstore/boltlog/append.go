package boltlog

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// blockPlain is the first byte of a block that is stored as it is.
const blockPlain = 1

// Append implements [eventstore.Appender]. Side records of the batch are stored
// before those to forget are deleted.
func (l *Log) Append(ctx context.Context, after eventstore.Position, batch eventstore.Batch) (eventstore.Position, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.writable(ctx); err != nil {
		return 0, err
	}
	now := *l.tail.Load()
	if after != now.last {
		return 0, &eventstore.ConflictError{Expected: after, Actual: now.last}
	}
	block, err := codec.AppendBatch(append(l.value[:0], blockPlain), now.last, now.at, batch)
	if err != nil {
		return 0, err
	}
	l.value = block
	if len(batch.Records)+len(batch.Sides)+len(batch.Forget) == 0 {
		return now.last, nil
	}
	next := now.behind(batch.Records)
	if err := l.commit(now.last+1, next, batch); err != nil {
		return 0, err
	}
	if next != now {
		l.publish(next)
	}
	return next.last, nil
}

func (l *Log) writable(ctx context.Context) error {
	if _, err := l.watch(); err != nil {
		return err
	}
	if l.readOnly {
		return eventstore.ErrReadOnly
	}
	if l.failed != nil {
		return l.failed
	}
	return ctx.Err()
}

// commit writes the batch, whose block is in l.value, in one transaction. An
// error leaves open what is on the disk: nothing is taken from then on.
func (l *Log) commit(first eventstore.Position, next tail, batch eventstore.Batch) error {
	err := guard(l.path, first, func() error {
		return l.db.Update(func(tx *bbolt.Tx) error {
			if len(batch.Records) > 0 {
				if err := l.putBlock(tx, first, next); err != nil {
					return err
				}
			}
			return putSides(tx, batch)
		})
	})
	if err != nil {
		l.failed = fmt.Errorf("append at position %d: %w: %w", first, eventstore.ErrFailed, err)
	}
	return l.failed
}

func (l *Log) putBlock(tx *bbolt.Tx, first eventstore.Position, next tail) error {
	blocks := tx.Bucket(bucketBlocks)
	blocks.FillPercent = 1 // keys only ever rise: a page that is full stays full
	key := blockKey(first)
	l.value = seal(key, l.value)
	if err := blocks.Put(key, l.value); err != nil {
		return err
	}
	return putTail(tx, next)
}

func blockKey(first eventstore.Position) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(first))
}

func keyPosition(key []byte) eventstore.Position {
	return eventstore.Position(binary.BigEndian.Uint64(key))
}
