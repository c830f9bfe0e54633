package projections_test

import (
	"errors"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/sessions"
)

// forgetful is a projection that has no meaning for the event at one position.
func forgetful(p projections.Projection, at domain.Position) projections.Projection {
	made := p.New
	p.New = func() projections.Fold { return forgetfulFold{made(), at} }
	return p
}

type forgetfulFold struct {
	projections.Fold
	at domain.Position
}

func (f forgetfulFold) Apply(r domain.Record) error {
	if r.Position == f.at {
		return projections.UnknownEvent(r)
	}
	return f.Fold.Apply(r)
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
	s := f.open(forgetful(sessions.Projection(), 5), counting())
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
