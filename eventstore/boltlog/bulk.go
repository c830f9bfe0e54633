package boltlog

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// mostHelpers is the most goroutines that decode for one reader.
const mostHelpers = 3

// Blocks gives the records that [Log.Read] gives, many at a time and much faster:
// they are decoded ahead, on the processors that are free, and given in their order.
// For an event nothing is allocated. A slice and the events in it are valid only
// until the next step; who keeps an event copies it.
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
	helpers := min(max(runtime.GOMAXPROCS(0)-1, 1), mostHelpers)
	b := newBulk(l, from, last, helpers)
	var running sync.WaitGroup
	running.Go(func() { b.read(ctx) })
	for range helpers {
		running.Go(b.help)
	}
	defer func() {
		cancel()
		running.Wait()
		b.recycle()
	}()
	b.give(ctx, yield)
}

// bulk is one reading of many blocks. Chunks go round: from free to the reader, from
// there, in their order, to the one who gives them, and beside that to the helpers.
// A chunk whose turn it is and which no helper has begun is decoded by the one who
// gives it, in whose cache it then is.
type bulk struct {
	log        *Log
	from, last eventstore.Position
	chunks     []*chunk
	free       chan *chunk
	inOrder    chan *chunk
	ahead      chan *chunk // what a helper may decode, or has been decoded since
}

// chunk is a few blocks that are decoded and given together.
type chunk struct {
	page
	buf     []byte
	slab    codec.Slab
	err     error
	taken   atomic.Bool   // somebody decodes it
	decoded chan struct{} // gets one value when a helper has
}

func newBulk(l *Log, from, last eventstore.Position, helpers int) *bulk {
	chunks := 2 * (helpers + 1)
	b := &bulk{
		log: l, from: from, last: last,
		free: make(chan *chunk, chunks), inOrder: make(chan *chunk, chunks), ahead: make(chan *chunk, chunks),
	}
	for range chunks {
		c := spare.Get().(*chunk)
		b.chunks = append(b.chunks, c)
		b.free <- c
	}
	return b
}

// spare are chunks whose memory the next reading uses again.
var spare = sync.Pool{New: func() any { return &chunk{decoded: make(chan struct{}, 1)} }}

// recycle lets the next reading have the chunks.
func (b *bulk) recycle() {
	for _, c := range b.chunks {
		select {
		case <-c.decoded: // and nobody wanted it
		default:
		}
		clear(c.blocks[:cap(c.blocks)]) // they may hold on to frames of the journal
		spare.Put(c)
	}
}

// readAheadFrom is replaced to measure what it is good for.
var readAheadFrom = (*Log).readAhead

// read hands out what is stored.
func (b *bulk) read(ctx context.Context) {
	defer close(b.ahead)
	defer close(b.inOrder)
	readAheadFrom(b.log, b.from)
	for next := b.from; next <= b.last; {
		var c *chunk
		select {
		case c = <-b.free:
		case <-ctx.Done():
			return
		}
		err := b.log.read(ctx, &c.page, next, b.last, bulkPageBytes)
		if err == nil {
			next = c.blocks[len(c.blocks)-1].last + 1
		}
		c.err = err
		c.taken.Store(false)
		b.inOrder <- c // has room for every chunk
		select {
		case b.ahead <- c:
		default: // no helper has had time for those in front
		}
		if err != nil {
			return
		}
	}
}

// help decodes ahead.
func (b *bulk) help() {
	for c := range b.ahead {
		if c.taken.CompareAndSwap(false, true) {
			b.decode(c)
			c.decoded <- struct{}{}
		}
	}
}

func (b *bulk) decode(c *chunk) {
	c.slab.Reset()
	for _, s := range c.blocks {
		if err := b.decodeOne(c, s); err != nil {
			c.err = err
			return
		}
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
		if c.taken.CompareAndSwap(false, true) {
			b.decode(c)
		} else {
			<-c.decoded
		}
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
