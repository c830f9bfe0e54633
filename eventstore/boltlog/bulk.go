package boltlog

import (
	"context"
	"iter"
	"sync"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

const (
	// decoders is how many blocks are decoded at a time.
	decoders = 2
	// bulkRecords is how many records are given at once where single batches of
	// the journal are put together.
	bulkRecords = 4096
)

// Blocks gives the records that [Log.Read] gives, many at a time and much faster:
// blocks are decoded beside each other and given in their order. A slice and the
// events in it are valid only until the next step; who keeps an event copies it.
func (l *Log) Blocks(ctx context.Context, from eventstore.Position) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		if _, err := l.watch(); err != nil {
			yield(nil, err)
			return
		}
		l.giveMany(ctx, max(from, 1), l.Last(), yield)
	}
}

func (l *Log) giveMany(ctx context.Context, from, last eventstore.Position, yield func([]eventstore.Record, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	b := newBulk(l, from, last)
	var running sync.WaitGroup
	running.Go(func() { b.read(ctx) })
	for range decoders {
		running.Go(b.decode)
	}
	defer running.Wait()
	defer cancel()
	b.give(ctx, yield)
}

// bulk is one reading of many blocks. Chunks go round: from free to the reader,
// from there to a decoder and, in their order, to the one who gives them.
type bulk struct {
	log        *Log
	from, last eventstore.Position
	free       chan *chunk
	toDecode   chan *chunk
	inOrder    chan *chunk
}

// chunk is a few blocks that are decoded and given together.
type chunk struct {
	blocks  []stored
	buf     []byte
	slab    codec.Slab
	err     error
	decoded chan struct{} // gets one value when slab and err are there
}

func newBulk(l *Log, from, last eventstore.Position) *bulk {
	const chunks = 2 * decoders
	b := &bulk{l, from, last, make(chan *chunk, chunks), make(chan *chunk, chunks), make(chan *chunk, chunks)}
	for range chunks {
		b.free <- &chunk{decoded: make(chan struct{}, 1)}
	}
	return b
}

// read hands out what is stored.
func (b *bulk) read(ctx context.Context) {
	defer close(b.toDecode)
	defer close(b.inOrder)
	b.log.readAhead(b.from)
	var c *chunk
	for s, err := range b.log.blocks(ctx, b.from, b.last) {
		if c == nil {
			select {
			case c = <-b.free:
			case <-ctx.Done():
				return
			}
		}
		if c.err = err; err == nil {
			c.blocks = append(c.blocks, s)
		}
		if err != nil || s.value != nil || s.last-c.blocks[0].first >= bulkRecords {
			b.hand(c)
			c = nil
		}
	}
	if c != nil {
		b.hand(c)
	}
}

// hand never waits: both channels have room for every chunk.
func (b *bulk) hand(c *chunk) {
	b.toDecode <- c
	b.inOrder <- c
}

func (b *bulk) decode() {
	for c := range b.toDecode {
		c.slab.Reset()
		for _, s := range c.blocks {
			if err := b.decodeOne(c, s); err != nil {
				c.err = err
				break
			}
		}
		c.decoded <- struct{}{}
	}
}

func (b *bulk) decodeOne(c *chunk, s stored) error {
	plain, err := s.message(&c.buf)
	var block codec.Block
	if err == nil {
		block, err = s.check(plain)
	}
	if err == nil {
		block, err = block.From(b.from)
	}
	if err != nil {
		return b.log.damage(s.first, err.Error())
	}
	end := block.First() - 1
	before := len(c.slab.Records())
	err = block.Decode(&c.slab)
	end += eventstore.Position(len(c.slab.Records()) - before)
	switch {
	case err != nil:
		return b.log.readError(end+1, err)
	case end != s.last:
		return b.log.missing(end+1, s.last)
	}
	return nil
}

func (b *bulk) give(ctx context.Context, yield func([]eventstore.Record, error) bool) {
	for c := range b.inOrder {
		<-c.decoded
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		if records := b.wanted(c.slab.Records()); len(records) > 0 && !yield(records, nil) {
			return
		}
		if c.err != nil {
			yield(nil, c.err)
			return
		}
		c.blocks = c.blocks[:0]
		b.free <- c
	}
	if err := ctx.Err(); err != nil {
		yield(nil, err)
	} else if err := b.log.state.Load().broken; err != nil {
		yield(nil, err)
	}
}

// wanted leaves out what stands in front of the first position, where a block could
// not be shortened, and behind the last, where one was packed meanwhile.
func (b *bulk) wanted(records []eventstore.Record) []eventstore.Record {
	for len(records) > 0 && records[0].Position < b.from {
		records = records[1:]
	}
	for len(records) > 0 && records[len(records)-1].Position > b.last {
		records = records[:len(records)-1]
	}
	return records
}
