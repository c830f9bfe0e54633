package projections_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/sessions"
	"rollcall/projections/usage"
)

// readFrom gives where the readings began, of those that are longer than a tail, and
// forgets them.
func (l *blockLog) readFrom(before domain.Position) []domain.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	froms := slices.DeleteFunc(l.froms, func(from domain.Position) bool { return from >= before })
	l.froms = nil
	return froms
}

// However many views are made again, the log is read once; one that goes on where it
// was interrupted does so in the same pass.
func TestOnePassForAll(t *testing.T) {
	const events = 150_000
	f := newFixture(t, story)
	log := &blockLog{Log: projectiontest.Busy(t, events), size: 10_000}
	last := log.Last()
	f.log = log.Log
	s := f.openOn(log, all()...)
	f.catchUp(s)
	f.close(s)
	f.tamper(func(v *bbolt.Bucket) error { return v.Delete([]byte("device/00000000000000000004")) })
	s = f.openOn(log, all()...)
	defer f.close(s)
	log.readFrom(0)
	names := s.Names()
	tail := last - 10_000

	reports, err := s.CheckAll(t.Context(), names, nil)
	wantReports(t, reports, err, names, last, 0)
	if froms := log.readFrom(tail); !slices.Equal(froms, []domain.Position{1}) {
		t.Errorf("a check reads from %v, want once from 1", froms)
	}

	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.RebuildAll(ctx, []string{usage.Name}, func(p projections.Progress) {
		if p.Events > events/3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("RebuildAll = %v, want %v", err, context.Canceled)
	}
	log.readFrom(tail)
	var seen []uint64
	reports, err = s.RebuildAll(t.Context(), names, func(p projections.Progress) { seen = append(seen, p.Events) })
	wantReports(t, reports, err, names, last, events/3)
	history := reports[slices.Index(names, usage.Name)].Resumed / 10_000 * 10_000 // told apart by what lies behind
	if froms, want := log.readFrom(tail), []domain.Position{history + 1, 1}; !slices.Equal(froms, want) {
		t.Errorf("a rebuild reads from %v, want %v", froms, want)
	}
	if !slices.IsSorted(seen) || len(seen) < 3 || seen[len(seen)-1] != uint64(last) {
		t.Errorf("progress is %v, want up to %d", seen, last)
	}
	if err := same(s.Check(t.Context(), sessions.Name, nil)); err != nil {
		t.Error(err)
	}
}

// wantReports fails unless every view is reported as of the last position, the sessions
// alone with a difference, and the usage alone resumed, if it is, behind a position.
func wantReports(t *testing.T, reports []projections.Report, err error, names []string, last, usageResumed domain.Position) {
	t.Helper()
	if err != nil || len(reports) != len(names) {
		t.Fatalf("%d reports, %v; want %d", len(reports), err, len(names))
	}
	for i, r := range reports {
		if r.Projection != names[i] || r.Position != last || (r.Difference != nil) != (r.Projection == sessions.Name) {
			t.Errorf("report %d = %+v, want %s as of %d", i, r, names[i], last)
		}
		if resumed := r.Resumed > 0; resumed != (usageResumed > 0 && r.Projection == usage.Name) || resumed && r.Resumed < usageResumed {
			t.Errorf("%s goes on at %d", r.Projection, r.Resumed)
		}
	}
}
