package logtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore"
)

func testEmpty(t *testing.T, log eventstore.Log) {
	wantRecords(t, log, nil)
	wantSides(t, log, nil)
	if log.ID() == (domain.LogID{}) {
		t.Error("the log has no id")
	}
	if last, err := log.Append(t.Context(), 0, eventstore.Batch{}); last != 0 || err != nil {
		t.Errorf("Append of an empty batch = %d, %v; want 0 and no error", last, err)
	}
}

func testConflict(t *testing.T, log eventstore.Log) {
	Fill(t, log, 5, 2)
	for _, after := range []eventstore.Position{0, 4, 6} {
		_, err := log.Append(t.Context(), after, eventstore.Batch{Records: Records(after+1, 1)})
		var conflict *eventstore.ConflictError
		if !errors.As(err, &conflict) || *conflict != (eventstore.ConflictError{Expected: after, Actual: 5}) {
			t.Errorf("Append behind %d = %v, want a conflict with 5", after, err)
		}
	}
	_, err := log.Append(t.Context(), 4, eventstore.Batch{Sides: []eventstore.Side{side(1, 1, "x")}})
	if conflict := (*eventstore.ConflictError)(nil); !errors.As(err, &conflict) {
		t.Errorf("Append of side records behind 4 = %v, want a conflict", err)
	}
	wantRecords(t, log, Records(1, 5))
	wantSides(t, log, nil)
}

// Whatever is wrong with a batch, nothing of it is seen, its good parts included.
func testRefusal(t *testing.T, log eventstore.Log) {
	Fill(t, log, 3, 3)
	changed := func(change func(*eventstore.Record)) eventstore.Batch {
		records := Records(4, 3)
		change(&records[2])
		return eventstore.Batch{Records: records, Sides: []eventstore.Side{side(4, 1, "x")}}
	}
	withSide := func(s eventstore.Side) eventstore.Batch {
		return eventstore.Batch{Records: Records(4, 3), Sides: []eventstore.Side{side(4, 1, "x"), s}}
	}
	tests := map[string]eventstore.Batch{
		"gap":             changed(func(r *eventstore.Record) { r.Position++ }),
		"repeated":        changed(func(r *eventstore.Record) { r.Position-- }),
		"time goes back":  changed(func(r *eventstore.Record) { r.Time = start }),
		"time too fine":   changed(func(r *eventstore.Record) { r.Time = r.Time.Add(1) }),
		"time not UTC":    changed(func(r *eventstore.Record) { r.Time = r.Time.In(time.FixedZone("", 60)) }),
		"no event":        changed(func(r *eventstore.Record) { r.Event = nil }),
		"later reference": changed(func(r *eventstore.Record) { r.Event = &domain.LoginAccepted{Session: 7} }),
		"fine duration":   changed(func(r *eventstore.Record) { r.Event = &domain.CoverageLost{Session: 1, Silent: 1} }),
		"side past end":   withSide(side(7, 1, "y")),
		"side under none": withSide(side(0, 1, "y")),
		"side of no kind": withSide(side(1, 0, "y")),
	}
	for name, batch := range tests {
		_, err := log.Append(t.Context(), 3, batch)
		if refused := (*eventstore.BatchError)(nil); !errors.As(err, &refused) {
			t.Errorf("%s: Append = %v, want a BatchError", name, err)
		}
		wantRecords(t, log, Records(1, 3))
		wantSides(t, log, nil)
	}
	Fill(t, log, 3, 3)
	wantRecords(t, log, Records(1, 6))
}

func testSides(t *testing.T, log eventstore.Log) {
	steps := []struct {
		name  string
		batch eventstore.Batch
		want  []eventstore.Side
	}{
		{
			"with records, in any order",
			eventstore.Batch{Records: Records(1, 300), Sides: []eventstore.Side{side(256, 2, "c"), side(2, 9, "b"), side(2, 1, "a")}},
			[]eventstore.Side{side(2, 1, "a"), side(2, 9, "b"), side(256, 2, "c")},
		},
		{
			"alone, over an older one",
			eventstore.Batch{Sides: []eventstore.Side{side(2, 9, "bb"), side(1, 3, "")}},
			[]eventstore.Side{side(1, 3, ""), side(2, 1, "a"), side(2, 9, "bb"), side(256, 2, "c")},
		},
		{
			"forgotten, and one that is not there",
			eventstore.Batch{Forget: []eventstore.SideKey{{Position: 2, Kind: 1}, {Position: 77, Kind: 1}, {Position: 1, Kind: 3}}},
			[]eventstore.Side{side(2, 9, "bb"), side(256, 2, "c")},
		},
		{
			"stored and forgotten at once",
			eventstore.Batch{Sides: []eventstore.Side{side(5, 1, "x")}, Forget: []eventstore.SideKey{{Position: 5, Kind: 1}, {Position: 256, Kind: 2}}},
			[]eventstore.Side{side(2, 9, "bb")},
		},
	}
	for _, step := range steps {
		last, err := log.Append(t.Context(), log.Last(), step.batch)
		if last != 300 || err != nil {
			t.Fatalf("%s: Append = %d, %v; want 300", step.name, last, err)
		}
		wantSides(t, log, step.want)
	}
	value, ok, err := log.Side(t.Context(), eventstore.SideKey{Position: 2, Kind: 9})
	if string(value) != "bb" || !ok || err != nil {
		t.Errorf("Side(2, 9) = %q, %v, %v; want bb", value, ok, err)
	}
	if _, ok, err := log.Side(t.Context(), eventstore.SideKey{Position: 2, Kind: 1}); ok || err != nil {
		t.Errorf("Side of what was forgotten = %v, %v; want false", ok, err)
	}
	wantRecords(t, log, Records(1, 300))
}

// Nobody can change what is stored by changing what was handed in or out.
func testSideCopies(t *testing.T, log eventstore.Log) {
	in := side(1, 1, "secret")
	if _, err := log.Append(t.Context(), 0, eventstore.Batch{Records: Records(1, 1), Sides: []eventstore.Side{in}}); err != nil {
		t.Fatal(err)
	}
	clear(in.Value)
	out, _, err := log.Side(t.Context(), in.SideKey)
	if err != nil {
		t.Fatal(err)
	}
	clear(out)
	for _, s := range collectSides(t, log) {
		clear(s.Value)
	}
	wantSides(t, log, []eventstore.Side{side(1, 1, "secret")})
}

func testContext(t *testing.T, log eventstore.Log) {
	Fill(t, log, 2, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, 2, eventstore.Batch{Records: Records(3, 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Append = %v, want %v", err, context.Canceled)
	}
	for r, err := range log.Read(ctx, 1) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Read gives %v, %v; want %v", r, err, context.Canceled)
		}
	}
	if _, _, err := log.Side(ctx, eventstore.SideKey{Position: 1, Kind: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Side = %v, want %v", err, context.Canceled)
	}
	wantRecords(t, log, Records(1, 2))
}

// Of appenders that all believe to know the last position, one wins each round,
// and the others learn the truth.
func testRace(t *testing.T, log eventstore.Log) {
	const appenders, each = 8, 20
	var wg sync.WaitGroup
	for range appenders {
		wg.Go(func() {
			last := log.Last()
			for wins := 0; wins < each; {
				next, err := log.Append(t.Context(), last, eventstore.Batch{Records: Records(last+1, 1)})
				var conflict *eventstore.ConflictError
				switch {
				case err == nil:
					wins++
					last = next
				case errors.As(err, &conflict):
					last = conflict.Actual
				default:
					t.Errorf("Append behind %d: %v", last, err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantRecords(t, log, Records(1, appenders*each))
}

func testReopen(t *testing.T, subject Subject) {
	log := subject.Open(t)
	t.Cleanup(func() { log.Close() })
	id := log.ID()
	var sides []eventstore.Side
	for n := 1; n <= 4; n++ {
		last := log.Last()
		s := side(last+1, 2, "value")
		if _, err := log.Append(t.Context(), last, eventstore.Batch{Records: Records(last+1, n), Sides: []eventstore.Side{s}}); err != nil {
			t.Fatal(err)
		}
		sides = append(sides, s)
		log = subject.Reopen(t, log)
		if diff := cmp.Diff(id, log.ID()); diff != "" {
			t.Fatalf("another id (-before +after):\n%s", diff)
		}
		wantRecords(t, log, Records(1, int(log.Last())))
		wantSides(t, log, sides)
	}
	if got := log.Last(); got != 10 {
		t.Errorf("Last() = %d, want 10", got)
	}
}
