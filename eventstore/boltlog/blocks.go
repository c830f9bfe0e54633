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

// stored is one block of the log as it lies in the database or in the journal,
// its checksum seen to be right.
type stored struct {
	first, last eventstore.Position
	value       []byte // as in the database, without the checksum; nil for a frame
	plain       []byte // the message Block of a frame
}

// blocks gives the blocks that hold the positions from from to last, in order
// and without a gap, wherever they lie. It is the one way in which records are
// read.
func (l *Log) blocks(ctx context.Context, from, last eventstore.Position) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		for from <= last {
			page, err := l.page(ctx, from, last)
			for _, b := range page {
				if !yield(b, nil) {
					return
				}
				from = b.last + 1
			}
			if err != nil {
				yield(stored{}, err)
				return
			}
		}
	}
}

// page gives at least one of the blocks that hold the positions from from to
// last. With an error come the blocks in front of it.
//
// The state says where from lies. What it says lies in the database is there for
// good; what it says lies in the journal it holds itself, whatever is packed
// meanwhile. So nobody sees the seam.
func (l *Log) page(ctx context.Context, from, last eventstore.Position) ([]stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := l.state.Load()
	if from <= s.packed.last {
		return l.packedPage(from, min(last, s.packed.last))
	}
	if _, err := l.watch(); err != nil {
		return nil, err
	}
	return framePage(s.from(from), last), nil
}

// framePage gives the frames up to one that holds last, or a page of them.
func framePage(frames []frame, last eventstore.Position) (page []stored) {
	size := 0
	for _, f := range frames {
		if f.records == 0 {
			continue
		}
		first := f.end.last - eventstore.Position(f.records) + 1
		if first > last || size > pageBytes {
			break
		}
		page = append(page, stored{first: first, last: f.end.last, plain: f.block})
		size += len(f.block)
	}
	return page
}

func (l *Log) packedPage(from, last eventstore.Position) (page []stored, err error) {
	err = l.view(from, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketBlocks).Cursor()
		key, value := seekBlock(c, from)
		size := 0
		for next := from; next <= last && size < pageBytes; key, value = c.Next() {
			b, err := l.locate(key, value, next, last)
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

// locate checks and copies a block that must hold position next; last is the
// end of what is packed.
func (l *Log) locate(key, value []byte, next, last eventstore.Position) (stored, error) {
	if len(key) != 8 {
		return stored{}, l.missing(next, last)
	}
	first := keyPosition(key)
	if first > next {
		return stored{}, l.missing(next, first-1)
	}
	unsealed, ok := unseal(key, value)
	if !ok {
		return stored{}, l.damage(first, "the checksum of the block is wrong")
	}
	b := stored{first: first, value: bytes.Clone(unsealed)}
	records, err := countRecords(b.value)
	b.last = first + eventstore.Position(records) - 1
	switch {
	case err != nil:
		return stored{}, l.damage(first, err.Error())
	case b.last < next:
		return stored{}, l.missing(next, 0)
	}
	return b, nil
}

func (l *Log) missing(from, to eventstore.Position) error {
	return &eventstore.DamageError{Path: l.path, From: from, To: to, Problem: "the records are missing"}
}

// open gives a block's records.
func (b stored) open() (codec.Block, error) {
	var buf []byte
	plain, err := b.message(&buf)
	if err != nil {
		return codec.Block{}, err
	}
	return b.check(plain)
}

// message gives the message Block, in buf where it has to be decompressed.
func (b stored) message(buf *[]byte) ([]byte, error) {
	if b.value == nil {
		return b.plain, nil
	}
	return decompress(buf, b.value)
}

func (b stored) check(plain []byte) (codec.Block, error) {
	opened, err := codec.OpenBlock(plain)
	if err == nil && opened.First() != b.first {
		err = fmt.Errorf("the block begins at position %d", opened.First())
	}
	return opened, err
}

// checkTail compares the end of what is packed with the last block there is, so
// that blocks missing at the end are noticed too.
func (l *Log) checkTail(packed tail) error {
	return l.view(max(packed.last, 1), func(tx *bbolt.Tx) error {
		key, value := tx.Bucket(bucketBlocks).Cursor().Last()
		var end eventstore.Position
		if len(key) == 8 {
			b, err := l.locate(key, value, keyPosition(key), packed.last)
			if err != nil {
				return err
			}
			end = b.last
		}
		switch {
		case end < packed.last:
			return l.missing(end+1, packed.last)
		case end > packed.last:
			return l.damage(packed.last+1, "there are records past the end that its head tells")
		}
		return nil
	})
}
