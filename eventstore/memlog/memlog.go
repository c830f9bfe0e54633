package memlog

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// Log is an event log in memory. It is safe for concurrent use.
type Log struct {
	id domain.LogID

	mu      sync.RWMutex
	records []eventstore.Record // only ever appended to
	sides   map[eventstore.SideKey][]byte
	grown   chan struct{} // closed when there are more records, or on Close
	closed  bool
}

var _ eventstore.Log = (*Log)(nil)

// New gives an empty log with an id of its own.
func New() *Log { return NewWithID(domain.LogID(uuid.New())) }

// NewWithID gives an empty log with that id, so that what is derived from it is
// the same in every run of a test.
func NewWithID(id domain.LogID) *Log {
	return &Log{id: id, sides: make(map[eventstore.SideKey][]byte), grown: make(chan struct{})}
}

// ID implements [eventstore.Log].
func (l *Log) ID() domain.LogID { return l.id }

// Append implements [eventstore.Appender].
func (l *Log) Append(ctx context.Context, after eventstore.Position, batch eventstore.Batch) (eventstore.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.check(ctx, after, batch); err != nil {
		return 0, err
	}
	l.records = append(l.records, batch.Records...)
	for _, s := range batch.Sides {
		l.sides[s.SideKey] = bytes.Clone(s.Value)
	}
	for _, key := range batch.Forget {
		delete(l.sides, key)
	}
	if len(batch.Records) > 0 {
		close(l.grown)
		l.grown = make(chan struct{})
	}
	return l.last(), nil
}

func (l *Log) check(ctx context.Context, after eventstore.Position, batch eventstore.Batch) error {
	if l.closed {
		return eventstore.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if last := l.last(); after != last {
		return &eventstore.ConflictError{Expected: after, Actual: last}
	}
	var before time.Time
	if len(l.records) > 0 {
		before = l.records[len(l.records)-1].Time
	}
	_, err := codec.AppendBatch(nil, after, before, batch)
	return err
}

func (l *Log) last() eventstore.Position { return eventstore.Position(len(l.records)) }

// Last implements [eventstore.Reader].
func (l *Log) Last() eventstore.Position {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.last()
}

// from gives the records from position from on, and what is closed when there
// are more.
func (l *Log) from(from eventstore.Position) ([]eventstore.Record, <-chan struct{}, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, nil, eventstore.ErrClosed
	}
	return l.records[min(max(from, 1)-1, l.last()):], l.grown, nil
}

// Read implements [eventstore.Reader].
func (l *Log) Read(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		records, _, err := l.from(from)
		if err != nil {
			yield(eventstore.Record{}, err)
			return
		}
		give(ctx, records, yield)
	}
}

// Follow implements [eventstore.Reader].
func (l *Log) Follow(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		next := max(from, 1)
		for {
			records, grown, err := l.from(next)
			if err != nil {
				yield(eventstore.Record{}, err)
				return
			}
			if !give(ctx, records, yield) {
				return
			}
			next += eventstore.Position(len(records))
			select {
			case <-grown:
			case <-ctx.Done():
				yield(eventstore.Record{}, ctx.Err())
				return
			}
		}
	}
}

// give yields the records and tells whether to go on.
func give(ctx context.Context, records []eventstore.Record, yield func(eventstore.Record, error) bool) bool {
	for _, r := range records {
		if err := ctx.Err(); err != nil {
			yield(eventstore.Record{}, err)
			return false
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

// Side implements [eventstore.SideReader].
func (l *Log) Side(ctx context.Context, key eventstore.SideKey) ([]byte, bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, false, eventstore.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	value, ok := l.sides[key]
	return bytes.Clone(value), ok, nil
}

// Sides implements [eventstore.SideReader].
func (l *Log) Sides(ctx context.Context) iter.Seq2[eventstore.Side, error] {
	return func(yield func(eventstore.Side, error) bool) {
		keys, err := l.sideKeys()
		if err != nil {
			yield(eventstore.Side{}, err)
			return
		}
		for _, key := range keys {
			value, ok, err := l.Side(ctx, key)
			if err != nil {
				yield(eventstore.Side{}, err)
				return
			}
			if ok && !yield(eventstore.Side{SideKey: key, Value: value}, nil) {
				return
			}
		}
	}
}

// SidesOf gives those of some side records that there are, in the order of the
// keys.
func (l *Log) SidesOf(ctx context.Context, keys []eventstore.SideKey) iter.Seq2[eventstore.Side, error] {
	return func(yield func(eventstore.Side, error) bool) {
		for _, key := range keys {
			value, ok, err := l.Side(ctx, key)
			if err != nil {
				yield(eventstore.Side{}, err)
				return
			}
			if ok && !yield(eventstore.Side{SideKey: key, Value: value}, nil) {
				return
			}
		}
	}
}

// Blocks gives the records that [Log.Read] gives, all at once.
func (l *Log) Blocks(ctx context.Context, from eventstore.Position) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		records, _, err := l.from(from)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || len(records) > 0 {
			yield(slices.Clone(records), err)
		}
	}
}

func (l *Log) sideKeys() ([]eventstore.SideKey, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, eventstore.ErrClosed
	}
	return slices.SortedFunc(maps.Keys(l.sides), func(a, b eventstore.SideKey) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Kind, b.Kind))
	}), nil
}

// Close implements [eventstore.Log].
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.grown)
	}
	return nil
}
