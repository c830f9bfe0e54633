package boltlog

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// pageBytes is how much is copied out of the database in one transaction, if one
// block is not more than that already.
const pageBytes = 256 << 10

// block is one block of the log, checked and in memory of its own.
type block struct {
	codec.Block
	stored []byte              // as in the database, without the checksum
	last   eventstore.Position // of its records
}

// blocks gives the blocks that hold the positions from from to last, in order
// and without a gap. It is the one way in which records come from the disk.
func (l *Log) blocks(ctx context.Context, from, last eventstore.Position) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		for from <= last {
			page, err := l.page(ctx, from, last)
			for _, b := range page {
				if !yield(b, nil) {
					return
				}
				from = b.last + 1
			}
			if err != nil {
				yield(block{}, err)
				return
			}
		}
	}
}

// page gives at least one of the blocks that hold the positions from from to
// last. With an error come the blocks in front of it.
func (l *Log) page(ctx context.Context, from, last eventstore.Position) (page []block, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = l.view(from, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketBlocks).Cursor()
		key, value := seekBlock(c, from)
		size := 0
		for next := from; next <= last && size < pageBytes; key, value = c.Next() {
			b, err := l.openBlock(key, value, next, last)
			if err != nil {
				return err
			}
			page = append(page, b)
			size += len(value)
			next = b.last + 1
		}
		return nil
	})
	return page, err
}

// seekBlock finds the last block that begins at or in front of a position.
func seekBlock(c *bbolt.Cursor, at eventstore.Position) (key, value []byte) {
	want := blockKey(at)
	key, value = c.Seek(want)
	switch {
	case bytes.Equal(key, want):
		return key, value
	case key == nil:
		return c.Last()
	default:
		return c.Prev()
	}
}

// openBlock checks and copies a block that must hold position next; last is the
// end of the log.
func (l *Log) openBlock(key, value []byte, next, last eventstore.Position) (block, error) {
	if len(key) != 8 {
		return block{}, l.missing(next, last)
	}
	first := keyPosition(key)
	if first > next {
		return block{}, l.missing(next, first-1)
	}
	stored, ok := unseal(key, value)
	if !ok {
		return block{}, l.damage(first, "the checksum of the block is wrong")
	}
	b, err := decodeBlock(bytes.Clone(stored))
	switch {
	case err != nil:
		return block{}, l.damage(first, err.Error())
	case b.First() != first:
		return block{}, l.damage(first, fmt.Sprintf("the block begins at position %d", b.First()))
	case b.last < next:
		return block{}, l.missing(next, 0)
	}
	return b, nil
}

func (l *Log) missing(from, to eventstore.Position) error {
	return &eventstore.DamageError{Path: l.path, From: from, To: to, Problem: "the records are missing"}
}

// decodeBlock opens a stored block and looks where it ends.
func decodeBlock(stored []byte) (block, error) {
	if len(stored) == 0 || stored[0] != blockPlain {
		return block{}, fmt.Errorf("the block is not of a kind that this version knows: % .1x", stored)
	}
	opened, err := codec.OpenBlock(stored[1:])
	if err != nil {
		return block{}, err
	}
	last := opened.First() - 1
	for _, err := range opened.Raw() {
		if err != nil {
			return block{}, err
		}
		last++
	}
	return block{opened, stored, last}, nil
}

// checkTail compares the end of the log with the last block there is, so that
// blocks missing at the end are noticed too.
func (l *Log) checkTail() error {
	tail := l.tail.Load()
	return l.view(max(tail.last, 1), func(tx *bbolt.Tx) error {
		key, value := tx.Bucket(bucketBlocks).Cursor().Last()
		var end eventstore.Position
		if len(key) == 8 {
			b, err := l.openBlock(key, value, keyPosition(key), tail.last)
			if err != nil {
				return err
			}
			end = b.last
		}
		switch {
		case end < tail.last:
			return l.missing(end+1, tail.last)
		case end > tail.last:
			return l.damage(tail.last+1, "there are records past the end that its head tells")
		}
		return nil
	})
}
