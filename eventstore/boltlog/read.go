package boltlog

import (
	"context"
	"errors"
	"iter"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// Read implements [eventstore.Reader]. A record whose event this version does
// not know ends the iteration with a *[codec.UnknownEventError]; those behind it
// can be read from the next position on.
func (l *Log) Read(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		if _, err := l.watch(); err != nil {
			yield(eventstore.Record{}, err)
			return
		}
		l.give(ctx, max(from, 1), l.Last(), yield)
	}
}

// Follow implements [eventstore.Reader]. Unknown events are as in [Log.Read].
func (l *Log) Follow(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		for from := max(from, 1); ; {
			grown, err := l.watch() // before Last, so that nothing slips through
			if err != nil {
				yield(eventstore.Record{}, err)
				return
			}
			last := l.Last()
			if !l.give(ctx, from, last, yield) {
				return
			}
			from = max(from, last+1)
			select {
			case <-grown:
			case <-ctx.Done():
				yield(eventstore.Record{}, ctx.Err())
				return
			}
		}
	}
}

// give yields the records from from to last and tells whether to go on.
func (l *Log) give(ctx context.Context, from, last eventstore.Position, yield func(eventstore.Record, error) bool) bool {
	var buf []byte
	for b, err := range l.blocks(ctx, from, last) {
		if err != nil {
			yield(eventstore.Record{}, err)
			return false
		}
		if !l.giveBlock(ctx, b, &buf, from, last, yield) {
			return false
		}
	}
	if err := l.state.Load().broken; err != nil {
		yield(eventstore.Record{}, err)
		return false
	}
	return true
}

// giveBlock yields what lies in a block from from to last. A block may reach past
// last: it can have been packed since last was the end.
func (l *Log) giveBlock(ctx context.Context, b stored, buf *[]byte, from, last eventstore.Position, yield func(eventstore.Record, error) bool) bool {
	opened, err := b.open(buf)
	if err == nil {
		opened, err = opened.From(from)
	}
	if err != nil {
		yield(eventstore.Record{}, l.damage(b.first, err.Error()))
		return false
	}
	position := opened.First() - 1
	for r, err := range opened.Records() {
		position++
		switch {
		case position < from:
			continue
		case position > last:
			return true
		case err != nil:
			yield(eventstore.Record{}, l.readError(position, err))
			return false
		case ctx.Err() != nil:
			yield(eventstore.Record{}, ctx.Err())
			return false
		case !yield(r, nil):
			return false
		}
	}
	if position != b.last {
		yield(eventstore.Record{}, l.missing(position+1, b.last))
		return false
	}
	return true
}

// readError gives err, which concerns one position, as the log tells it: a record
// that is malformed behind a true checksum was written so.
func (l *Log) readError(at eventstore.Position, err error) error {
	if malformed := (*codec.MalformedError)(nil); errors.As(err, &malformed) {
		return &eventstore.DamageError{Path: l.path, From: at, To: at, Problem: malformed.Problem}
	}
	return err
}
