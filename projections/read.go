package projections

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

// blockLog is a log that gives many records at a time, and decodes them ahead. What it
// gives is valid only until the next step.
type blockLog interface {
	Blocks(ctx context.Context, from domain.Position) iter.Seq2[[]domain.Record, error]
}

// records gives the records of the log from a position on, many at a time and valid
// only until the next step, up to the one that is last when the reading begins. An
// event that the log cannot decode is given as a [newer].
func records(ctx context.Context, log Log, from domain.Position) iter.Seq2[[]domain.Record, error] {
	return func(yield func([]domain.Record, error) bool) {
		for last := log.Last(); from <= last; {
			var stopped bool
			if from, stopped = recordsUpToNewer(ctx, log, from, yield); stopped {
				return
			}
		}
	}
}

// recordsUpToNewer gives the records up to one that the log cannot decode, with that,
// and tells where it goes on behind it, or that nothing more is to be given.
func recordsUpToNewer(ctx context.Context, log Log, from domain.Position, yield func([]domain.Record, error) bool) (next domain.Position, stopped bool) {
	next = from
	for some, err := range many(ctx, log, from) {
		var unknown *codec.UnknownEventError
		switch {
		case errors.As(err, &unknown):
			some = []domain.Record{newerRecord(unknown)}
		case err != nil:
			yield(nil, err)
			return 0, true
		}
		if !yield(some, nil) {
			return 0, true
		}
		next = some[len(some)-1].Position + 1
		if unknown != nil {
			return next, false
		}
	}
	return next, next == from
}

// many gives what the log gives from a position on, in blocks where it has them.
func many(ctx context.Context, log Log, from domain.Position) iter.Seq2[[]domain.Record, error] {
	if b, ok := log.(blockLog); ok {
		return inParts(ctx, b.Blocks(ctx, from))
	}
	return func(yield func([]domain.Record, error) bool) {
		batch := make([]domain.Record, 0, liveBatch)
		for r, err := range log.Read(ctx, from) {
			if err != nil {
				if len(batch) == 0 || yield(batch, nil) {
					yield(nil, err)
				}
				return
			}
			if batch = append(batch, r); len(batch) < liveBatch {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = batch[:0]
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}

// inParts gives blocks in parts of no more than a save while following takes, so that
// whoever is asked to stop does so soon.
func inParts(ctx context.Context, blocks iter.Seq2[[]domain.Record, error]) iter.Seq2[[]domain.Record, error] {
	return func(yield func([]domain.Record, error) bool) {
		for block, err := range blocks {
			if err != nil {
				yield(nil, err)
				return
			}
			for part := range slices.Chunk(block, liveBatch) {
				if !yield(part, nil) {
					return
				}
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
			}
		}
	}
}

// newer is an event that the log cannot decode, because a newer version of rollcall
// wrote it. A fold takes it for any other event that it has no meaning for.
type newer struct {
	domain.Event // nil
	number       uint32
	raw          []byte // the record, as it is stored
}

// Type gives the type of no event.
func (newer) Type() domain.EventType { return 0 }

func newerRecord(e *codec.UnknownEventError) domain.Record {
	return domain.Record{Position: e.Position, Time: e.Time, Event: newer{number: e.Number, raw: bytes.Clone(e.Raw)}}
}

// sessionNumbers is the highest number in events.proto of the events that are about
// sessions alone.
const sessionNumbers = 15

// IsNewerSessionEvent tells whether a record holds an event that only a newer version
// knows, and that by its number is about sessions alone: a view that has nothing of
// sessions may pass over it.
func IsNewerSessionEvent(r domain.Record) bool {
	e, ok := r.Event.(newer)
	return ok && e.number <= sessionNumbers
}
