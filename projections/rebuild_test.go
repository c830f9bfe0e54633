package projections_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"rollcall/projections"
	"rollcall/projections/sessions"
)

const seatKey = "session/00000000000000000003"

// tamper changes rows of the sessions view behind the set's back.
func (f *fixture) tamper(change func(view *bbolt.Bucket) error) {
	f.Helper()
	f.edit(func(tx *bbolt.Tx) error { return change(live(tx, sessions.Name).Bucket([]byte("view"))) })
}

func TestCheckNamesTheFirstDifference(t *testing.T) {
	for _, c := range []struct {
		name   string
		tamper func(view *bbolt.Bucket) error
		want   *projections.Difference
	}{
		{"nothing", func(*bbolt.Bucket) error { return nil }, nil},
		{
			"a changed row", func(v *bbolt.Bucket) error {
				return v.Put([]byte("count/00000000000000000001"), []byte(`{"covered":7}`))
			},
			&projections.Difference{Key: "count/00000000000000000001", Live: []byte(`{"covered":7}`), Rebuilt: []byte(`{"pending":0,"covered":1,"out_of_coverage":0}`), Position: 5},
		},
		{
			"a removed row", func(v *bbolt.Bucket) error { return v.Delete([]byte("device/00000000000000000002")) },
			&projections.Difference{Key: "device/00000000000000000002", Rebuilt: []byte(`{"person":1}`), Position: 5},
		},
		{
			"a row too many", func(v *bbolt.Bucket) error { return v.Put([]byte("session/00000000000000000009"), []byte(`{}`)) },
			&projections.Difference{Key: "session/00000000000000000009", Live: []byte(`{}`), Position: 5},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, story)
			f.made()
			f.tamper(c.tamper)
			for _, open := range []func() (*projections.Set, error){
				func() (*projections.Set, error) {
					return projections.OpenReadOnly(f.path, f.log, sessions.Projection())
				},
				func() (*projections.Set, error) { return f.open(), nil },
			} {
				s, err := open()
				if err != nil {
					t.Fatal(err)
				}
				report, err := s.Check(t.Context(), sessions.Name, nil)
				f.close(s)
				if err != nil || report.Position != 5 {
					t.Errorf("Check = as of %d, %v; want 5", report.Position, err)
				}
				if diff := cmp.Diff(c.want, report.Difference); diff != "" {
					t.Errorf("Check (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestDifferenceTellsAll(t *testing.T) {
	d := &projections.Difference{Key: seatKey, Rebuilt: []byte(`{"device":2}`), Position: 5}
	want := `as of position 5, row session/00000000000000000003: live missing, rebuilt {"device":2}`
	if got := d.String(); got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestRebuildRepairs(t *testing.T) {
	f := newFixture(t, story)
	want := f.made()
	f.tamper(func(v *bbolt.Bucket) error { return v.Delete([]byte(seatKey)) })
	s := f.open()
	report, err := s.Rebuild(t.Context(), sessions.Name, nil)
	if err != nil || report.Difference == nil || report.Difference.Key != seatKey {
		t.Errorf("Rebuild = %v, %v; want a difference at %s", report.Difference, err, seatKey)
	}
	if got := f.dump(s, sessions.Name); got != want {
		t.Errorf("view = %q, want %q", got, want)
	}
	f.append(lost) // the rebuilt view goes on
	f.catchUp(s)
	if list, at, err := sessions.In(s).List(); err != nil || at != 6 || list[0].State != sessions.OutOfCoverage {
		t.Errorf("List = %v as of %d, %v; want one out of coverage as of 6", list, at, err)
	}
	f.close(s)
	if err := reopened(f, func(s *projections.Set) error { return same(s.Check(t.Context(), sessions.Name, nil)) }); err != nil {
		t.Error(err)
	}
}

func reopened(f *fixture, do func(*projections.Set) error) error {
	s := f.open()
	defer f.close(s)
	return do(s)
}

func same(r projections.Report, err error) error {
	if err == nil && r.Difference != nil {
		return errors.New(r.Difference.String())
	}
	return err
}

// many gives a log text with that many changes of coverage.
func many(n int) string {
	return story + strings.Repeat(lost+"\n+1s coverage-regained Session=3\n", n/2)
}

func TestRebuildIsResumed(t *testing.T) {
	f := newFixture(t, many(200_000))
	s := f.open()
	defer f.close(s)
	f.catchUp(s)

	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Rebuild(ctx, sessions.Name, func(p projections.Progress) {
		if p.Total != 200_005 || p.Rate <= 0 || p.Left <= 0 {
			t.Errorf("Progress = %+v", p)
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Rebuild = %v, want %v", err, context.Canceled)
	}
	var seen []uint64
	report, err := s.Rebuild(t.Context(), sessions.Name, func(p projections.Progress) { seen = append(seen, p.Events) })
	if err := same(report, err); err != nil {
		t.Fatal(err)
	}
	if report.Resumed != 65_536 || report.Position != 200_005 {
		t.Errorf("Rebuild = %+v, want from 65536 to 200005", report)
	}
	if diff := cmp.Diff([]uint64{131_072, 196_608, 200_005}, seen); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestRebuildBesideRun(t *testing.T) {
	f := newFixture(t, many(20_000))
	s := f.open()
	defer f.close(s)
	stop := f.running(s)
	if err := s.WaitFor(t.Context(), f.log.Last()); err != nil {
		t.Fatal(err)
	}
	rebuilt := make(chan struct{})
	go func() {
		defer close(rebuilt)
		for i := range 5 {
			if err := same(s.Check(t.Context(), sessions.Name, nil)); err != nil {
				t.Errorf("Check %d: %v", i, err)
			}
			if err := same(s.Rebuild(t.Context(), sessions.Name, nil)); err != nil {
				t.Errorf("Rebuild %d: %v", i, err)
			}
		}
	}()
	for writing := true; writing; {
		if err := s.WaitFor(t.Context(), f.append(lost)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-rebuilt:
			writing = false
		default:
		}
	}
	if err := same(s.Check(t.Context(), sessions.Name, nil)); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

func TestReadOnly(t *testing.T) {
	f := newFixture(t, story)
	f.made()
	s, err := projections.OpenReadOnly(f.path, f.log, sessions.Projection(), counting())
	if err != nil {
		t.Fatal(err)
	}
	defer f.close(s)
	if _, err := s.Rebuild(t.Context(), sessions.Name, nil); !errors.Is(err, projections.ErrReadOnly) {
		t.Errorf("Rebuild = %v, want %v", err, projections.ErrReadOnly)
	}
	if err := s.Run(t.Context()); !errors.Is(err, projections.ErrReadOnly) {
		t.Errorf("Run = %v, want %v", err, projections.ErrReadOnly)
	}
	var stale *projections.StaleError
	if _, err := s.Check(t.Context(), "counter", nil); !errors.As(err, &stale) {
		t.Errorf("Check(counter) = %v, want a StaleError", err)
	}
	if _, err := s.Check(t.Context(), "weather", nil); !errors.Is(err, projections.ErrUnknownProjection) {
		t.Errorf("Check(weather) = %v, want %v", err, projections.ErrUnknownProjection)
	}
	if list, at, err := sessions.In(s).List(); err != nil || at != 5 || len(list) != 1 {
		t.Errorf("List = %v as of %d, %v", list, at, err)
	}
}
