package projections_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/sessions"
)

// strangeLog has an event at one position that no version of this program knows.
type strangeLog struct {
	projections.Log
	at domain.Position
}

type strangeEvent struct{ domain.Event }

func (strangeEvent) Type() domain.EventType { return 200 }

func (l strangeLog) Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	return l.replaced(l.Log.Read(ctx, from))
}

func (l strangeLog) Follow(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	return l.replaced(l.Log.Follow(ctx, from))
}

func (l strangeLog) replaced(records iter.Seq2[domain.Record, error]) iter.Seq2[domain.Record, error] {
	return func(yield func(domain.Record, error) bool) {
		for r, err := range records {
			if r.Position == l.at {
				r.Event = strangeEvent{}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// counter counts records and knows every event.
type counter struct{ n byte }

func counting() projections.Projection {
	return projections.Projection{Name: "counter", Version: 1, New: func() projections.Fold { return &counter{} }}
}

func (c *counter) Load(view *bbolt.Bucket) error { c.n = view.Get([]byte("n"))[0]; return nil }
func (c *counter) Save(view *bbolt.Bucket) error { return view.Put([]byte("n"), []byte{c.n}) }
func (c *counter) Apply(domain.Record) error     { c.n++; return nil }

func TestUnknownEventStopsOneProjection(t *testing.T) {
	f := newFixture(t, story+lost)
	s := f.openOn(strangeLog{f.log, 5}, sessions.Projection(), counting())
	defer func() { f.close(s) }()
	stop := f.running(s)

	err := s.WaitFor(t.Context(), 6, sessions.Name)
	var stopped *projections.StoppedError
	var unknown *projections.UnknownEventError
	if !errors.As(err, &stopped) || stopped.Position != 4 || !errors.As(err, &unknown) || unknown.Position != 5 {
		t.Errorf("WaitFor(sessions) = %v, want stopped behind 4 by the event at 5", err)
	}
	if err := s.WaitFor(t.Context(), 6, "counter"); err != nil {
		t.Errorf("WaitFor(counter) = %v, want nil", err)
	}
	if n := len(s.Stopped()); n != 1 {
		t.Errorf("%d stopped projections, want 1", n)
	}
	list, at, err := sessions.In(s).List()
	if err != nil || at != 4 || len(list) != 1 || list[0].State != sessions.Pending {
		t.Errorf("List = %v as of %d, %v; want one pending as of 4", list, at, err)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}

	f.close(s)
	s = f.open(sessions.Projection(), counting()) // a version that knows the event
	f.catchUp(s)
	if list, at, err := sessions.In(s).List(); err != nil || at != 6 || list[0].State != sessions.OutOfCoverage {
		t.Errorf("List = %v as of %d, %v; want one out of coverage as of 6", list, at, err)
	}
}
