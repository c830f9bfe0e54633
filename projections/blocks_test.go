package projections_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
	"rollcall/eventstore/memlog"
	"rollcall/projections"
	"rollcall/projections/configuration"
	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/sessions"
)

// blockLog gives its records in blocks whose memory it spoils when the reader asks
// for the next. At one position it has an event that only a newer version knows.
type blockLog struct {
	*memlog.Log
	size  int
	newer domain.Position
	// number is that event's.
	number uint32

	mu    sync.Mutex
	froms []domain.Position // where readings began, and not at their first record
}

func (l *blockLog) Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	return l.upToNewer(l.Log.Read(ctx, from))
}

func (l *blockLog) Follow(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	return l.upToNewer(l.Log.Follow(ctx, from))
}

// upToNewer does what a log does with an event that it does not know.
func (l *blockLog) upToNewer(records iter.Seq2[domain.Record, error]) iter.Seq2[domain.Record, error] {
	return func(yield func(domain.Record, error) bool) {
		for r, err := range records {
			if r.Position == l.newer {
				yield(domain.Record{}, &codec.UnknownEventError{Position: l.newer, Time: r.Time, Number: l.number})
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (l *blockLog) Blocks(ctx context.Context, from domain.Position) iter.Seq2[[]domain.Record, error] {
	l.mu.Lock()
	l.froms = append(l.froms, from)
	l.mu.Unlock()
	return func(yield func([]domain.Record, error) bool) {
		var block []domain.Record
		give := func() bool {
			again := len(block) == 0 || yield(block, nil)
			spoil(block)
			block = block[:0]
			return again
		}
		for r, err := range l.Read(ctx, from) {
			if err != nil {
				if give() {
					yield(nil, err)
				}
				return
			}
			r.Event = copied(r.Event)
			if block = append(block, r); len(block) == l.size && !give() {
				return
			}
		}
		give()
	}
}

// BoundaryUpTo gives the ends of its blocks. Its digests tell nothing of the records:
// no test changes them.
func (l *blockLog) BoundaryUpTo(_ context.Context, at domain.Position) (b eventstore.Boundary, err error) {
	if b.Position = at - at%domain.Position(l.size); b.Position > 0 {
		binary.BigEndian.PutUint64(b.Digest[:], uint64(b.Position))
	}
	return b, nil
}

func (l *blockLog) BoundaryAt(ctx context.Context, at domain.Position) (eventstore.Boundary, bool, error) {
	b, err := l.BoundaryUpTo(ctx, at)
	return b, b.Position == at, err
}

func copied(e domain.Event) domain.Event {
	c := reflect.New(reflect.TypeOf(e).Elem())
	c.Elem().Set(reflect.ValueOf(e).Elem())
	return c.Interface().(domain.Event)
}

// spoil puts into events what they never hold.
func spoil(records []domain.Record) {
	for _, r := range records {
		e := reflect.ValueOf(r.Event).Elem()
		for i := range e.NumField() {
			switch f := e.Field(i); f.Kind() {
			case reflect.Uint64, reflect.Uint32, reflect.Uint8:
				f.SetUint(math.MaxUint64 >> (64 - f.Type().Bits()))
			default:
				f.SetZero()
			}
		}
	}
}

// A fold keeps nothing of the memory that it is shown, and views that are folded
// beside each other come out as one after the other.
func TestBlocksAreUsedAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records, _ := projectiontest.Draw(rt)
		size := rapid.IntRange(1, 20).Draw(rt, "block")
		checkFromBlocks(t, records, size)
	})
	busy := projectiontest.BusyRecords(20_000)
	checkFromBlocks(t, busy, 7)
	checkFromBlocks(t, busy, 1999)
}

func checkFromBlocks(t *testing.T, records []domain.Record, size int) {
	t.Helper()
	log := &blockLog{Log: projectiontest.Log(t, records), size: size}
	s, err := projections.Open(filepath.Join(t.TempDir(), "projections.db"), log, discard, all()...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range all() {
		err := s.View(p.Name, func(got projections.Snapshot) error {
			if diff := cmp.Diff(projectiontest.Fold(t, p, records), projectiontest.Dump(got.Rows)); diff != "" {
				return fmt.Errorf("%s (-one fold +set):\n%s", p.Name, diff)
			}
			return nil
		})
		if err := errors.Join(err, same(s.Check(t.Context(), p.Name, nil))); err != nil {
			t.Fatal(err)
		}
	}
}

// What the views hold already is not read again, be it when they are opened or
// when they go on.
func TestOnlyTheTailIsRead(t *testing.T) {
	f := newFixture(t, many(5000))
	log := &blockLog{Log: f.log, size: 100}
	s := f.openOn(log, all()...)
	f.catchUp(s)
	f.close(s)
	made := log.Last()
	last := f.append(lost)
	log.froms = nil
	s = f.openOn(log, all()...)
	defer f.close(s)
	stop := f.running(s)
	if err := s.WaitFor(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	// What lies behind the last block is read once more, to tell the log's history.
	want := []domain.Position{made - made%100 + 1, last, last}
	if !slices.Equal(log.froms, want) {
		t.Errorf("the log is read from %v, want %v", log.froms, want)
	}
}

// An event of a newer version stops the views that it may concern; the others go on,
// and so does Run, wherever it meets the event.
func TestEventOfANewerVersion(t *testing.T) {
	for _, c := range []struct {
		name   string
		number uint32
		live   bool
		stop   []string
	}{
		{"about sessions, in the past", 15, false, []string{sessions.Name}},
		{"about sessions, live", 15, true, []string{sessions.Name}},
		{"about anything, in the past", 30, false, []string{sessions.Name, configuration.Name}},
		{"about anything, live", 30, true, []string{sessions.Name, configuration.Name}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, story)
			log := &blockLog{Log: f.log, size: 2, newer: 6, number: c.number}
			s := f.openOn(log, sessions.Projection(), configuration.Projection(), counting())
			defer func() { f.close(s) }()
			if !c.live {
				f.append(lost)
			}
			stop := f.running(s)
			if c.live {
				if err := s.WaitFor(t.Context(), 5); err != nil {
					t.Fatal(err)
				}
				f.append(lost)
			}
			f.wantStopped(s, 6, c.stop)
			f.wantStopped(s, f.append(lost), c.stop)
			if err := stop(); err != nil {
				t.Errorf("Run = %v, want nil", err)
			}
			f.close(s)
			s = f.openOn(log, sessions.Projection(), configuration.Projection(), counting()) // no wiser than before
			if err := s.CatchUp(t.Context()); err != nil {
				t.Error(err)
			}
			f.wantStopped(s, 7, c.stop)
			f.close(s)
			s = f.open(sessions.Projection(), configuration.Projection(), counting()) // a version that knows it
			f.catchUp(s)
			f.wantStopped(s, 7, nil)
		})
	}
}

// wantStopped waits for a position and fails unless exactly these views have stopped
// in front of position 6.
func (f *fixture) wantStopped(s *projections.Set, position domain.Position, want []string) {
	f.Helper()
	for _, name := range s.Names() {
		err := s.WaitFor(f.Context(), position, name)
		var unknown *projections.UnknownEventError
		switch stopped := errors.As(err, &unknown); {
		case stopped != slices.Contains(want, name), err != nil && !stopped:
			f.Errorf("WaitFor(%d, %s) = %v; %v should have stopped", position, name, err, want)
		case stopped && (unknown.Position != 6 || unknown.Number == 0):
			f.Errorf("%s stopped at %d by number %d, want at 6", name, unknown.Position, unknown.Number)
		}
	}
}

// A view whose last record is an event that it passed over is taken up again.
func TestCursorAtAnEventOfANewerVersion(t *testing.T) {
	f := newFixture(t, story+lost)
	log := &blockLog{Log: f.log, size: 2, newer: 6, number: 15}
	for range 2 {
		s := f.openOn(log, configuration.Projection())
		if err := s.CatchUp(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.WaitFor(t.Context(), 6); err != nil {
			t.Error(err)
		}
		f.close(s)
	}
	if said := f.said.String(); said != "" {
		t.Errorf("logged %q, want nothing", said)
	}
}
