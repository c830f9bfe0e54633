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
// block is not more than that already; less of it for many records at a time, which
// are to stay in a processor's cache on their way.
const (
	pageBytes     = 256 << 10
	bulkPageBytes = 32 << 10
)

// page is a few blocks that follow one another. Its memory is used again.
type page struct {
	blocks []stored
	bytes  []byte // what was copied out of the database
}

// copied gives a copy of b that lasts as long as the page.
func (p *page) copied(b []byte) []byte {
	begin := len(p.bytes)
	p.bytes = append(p.bytes, b...)
	return p.bytes[begin:len(p.bytes):len(p.bytes)]
}

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
			var p page
			err := l.read(ctx, &p, from, last, pageBytes)
			for _, b := range p.blocks {
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

// read fills a page with at least one of the blocks that hold the positions from
// from to last, and about size bytes. With an error come the blocks in front of it.
//
// The state says where from lies. What it says lies in the database is there for
// good; what it says lies in the journal it holds itself, whatever is packed
// meanwhile. So nobody sees the seam.
func (l *Log) read(ctx context.Context, p *page, from, last eventstore.Position, size int) error {
	p.blocks, p.bytes = p.blocks[:0], p.bytes[:0]
	if err := ctx.Err(); err != nil {
		return err
	}
	s := l.state.Load()
	if from <= s.packed.last {
		return l.readPacked(p, from, min(last, s.packed.last), size)
	}
	if _, err := l.watch(); err != nil {
		return err
	}
	p.takeFrames(s.from(from), last, size)
	return nil
}

// takeFrames takes the frames up to one that holds last, or as many as make a page.
func (p *page) takeFrames(frames []frame, last eventstore.Position, most int) {
	size := 0
	for _, f := range frames {
		if f.records == 0 {
			continue
		}
		first := f.end.last - eventstore.Position(f.records) + 1
		if first > last || size > most {
			return
		}
		p.blocks = append(p.blocks, stored{first: first, last: f.end.last, plain: f.block})
		size += len(f.block)
	}
}

func (l *Log) readPacked(p *page, from, last eventstore.Position, most int) error {
	return l.view(from, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketBlocks).Cursor()
		key, value := seekBlock(c, from)
		for next := from; next <= last && len(p.bytes) < most; key, value = c.Next() {
			b, err := l.locate(p, key, value, next, last)
			if err != nil {
				return err
			}
			p.blocks = append(p.blocks, b)
			next = b.last + 1
		}
		return nil
	})
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
func (l *Log) locate(p *page, key, value []byte, next, last eventstore.Position) (stored, error) {
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
	b := stored{first: first, value: p.copied(unsealed)}
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

// open gives a block's records, which lie in buf where it has to be decompressed.
func (b stored) open(buf *[]byte) (codec.Block, error) {
	plain, err := b.message(buf)
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
			b, err := l.locate(&page{}, key, value, keyPosition(key), packed.last)
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
