package projections_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/eventstore/memlog"
	"rollcall/projections"
	"rollcall/projections/configuration"
	"rollcall/projections/connectivity"
	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/sessions"
	"rollcall/projections/usage"
)

func all() []projections.Projection {
	return []projections.Projection{
		sessions.Projection(), connectivity.Projection(), configuration.Projection(), usage.Projection(),
	}
}

// TestRestartsAndRebuilds cuts a drawn log into stretches; between them the set
// is closed and opened, killed, checked, rebuilt, or loses its file. In the end
// every view is what one fold makes of the log.
func TestRestartsAndRebuilds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records, _ := projectiontest.Draw(rt)
		r := newRestarts(t, rt)
		for rest := records; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "stretch")
			r.must(r.set.CatchUp(t.Context()))
			r.append(rest[:n])
			rest = rest[n:]
			r.happen()
		}
		r.must(r.set.CatchUp(t.Context()))
		for _, p := range all() {
			got := r.dump(p.Name)
			if diff := cmp.Diff(projectiontest.Fold(t, p, records), got); diff != "" {
				rt.Errorf("%s (-one fold +set):\n%s", p.Name, diff)
			}
		}
		r.must(r.set.Close())
	})
}

type restarts struct {
	t    *testing.T
	rt   *rapid.T
	log  *memlog.Log
	path string
	set  *projections.Set
}

func newRestarts(t *testing.T, rt *rapid.T) *restarts {
	r := &restarts{t: t, rt: rt, log: memlog.New(), path: filepath.Join(t.TempDir(), "projections.db")}
	r.open()
	return r
}

func (r *restarts) must(err error) {
	if err != nil {
		r.rt.Helper()
		r.rt.Fatal(err)
	}
}

func (r *restarts) open() {
	set, err := projections.Open(r.path, r.log, discard, all()...)
	r.must(err)
	r.set = set
}

func (r *restarts) append(records []domain.Record) {
	_, err := r.log.Append(r.t.Context(), r.log.Last(), domain.Batch{Records: records})
	r.must(err)
}

func (r *restarts) happen() {
	name := rapid.SampledFrom(r.set.Names()).Draw(r.rt, "projection")
	switch rapid.SampledFrom([]string{"nothing", "close", "kill", "delete", "check", "rebuild", "rebuild all"}).Draw(r.rt, "then") {
	case "close":
		r.must(r.set.Close())
		r.open()
	case "kill": // the file as it stands, without the goodbye of Close
		r.copied()
		r.open()
	case "delete":
		r.must(r.set.Close())
		r.must(os.Remove(r.path))
		r.open()
	case "check":
		r.must(same(r.set.Check(r.t.Context(), name, nil)))
	case "rebuild":
		r.must(same(r.set.Rebuild(r.t.Context(), name, nil)))
	case "rebuild all":
		reports, err := r.set.RebuildAll(r.t.Context(), r.set.Names(), nil)
		r.must(err)
		for _, report := range reports {
			r.must(same(report, nil))
		}
	}
}

// copied goes on with a copy of the file.
func (r *restarts) copied() {
	old := r.path
	r.path = filepath.Join(r.t.TempDir(), "projections.db")
	from, err := os.Open(old)
	r.must(err)
	to, err := os.Create(r.path)
	r.must(err)
	_, err = io.Copy(to, from)
	r.must(errors.Join(err, to.Close(), from.Close(), r.set.Close()))
}

func (r *restarts) dump(name string) (text string) {
	r.must(r.set.View(name, func(s projections.Snapshot) error {
		text = projectiontest.Dump(s.Rows)
		return nil
	}))
	return text
}

// TestDamageWhileRunning overwrites the file under a running set.
func TestDamageWhileRunning(t *testing.T) {
	f := newFixture(t, many(1000))
	s := f.open(all()...)
	defer f.close(s)
	stop := f.running(s)
	if err := s.WaitFor(t.Context(), f.log.Last()); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	page := int64(os.Getpagesize())
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(make([]byte, info.Size()-2*page), 2*page)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitFor(t.Context(), f.append(lost)); err != nil {
		t.Fatalf("WaitFor: %v", err)
	}
	for _, name := range s.Names() {
		if err := same(s.Check(t.Context(), name, nil)); err != nil {
			t.Error(err)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

// balky is a fold that cannot be saved when told so.
type balky struct {
	projections.Fold
	refuse *error
}

func (b balky) Save(view *bbolt.Bucket) error {
	return errors.Join(b.Fold.Save(view), *b.refuse)
}

func TestFailedSaveLeavesTheViewAsItWas(t *testing.T) {
	f := newFixture(t, story)
	var refuse error
	p := sessions.Projection()
	p.New = func() projections.Fold { return balky{sessions.Projection().New(), &refuse} }
	s := f.open(p)
	defer f.close(s)
	f.catchUp(s)
	before := f.dump(s, sessions.Name)

	refuse = errors.New("disk full")
	last := f.append(lost)
	if err := s.CatchUp(t.Context()); !errors.Is(err, refuse) {
		t.Errorf("CatchUp = %v, want %v", err, refuse)
	}
	if err := s.WaitFor(t.Context(), last); !errors.Is(err, refuse) {
		t.Errorf("WaitFor = %v, want %v", err, refuse)
	}
	if got := f.dump(s, sessions.Name); got != before {
		t.Errorf("view = %q, want %q", got, before)
	}
	refuse = nil
	f.catchUp(s)
	if err := same(s.Check(t.Context(), sessions.Name, nil)); err != nil {
		t.Error(err)
	}
}

// BenchmarkRebuild measures the way from a log in memory into the file.
func BenchmarkRebuild(b *testing.B) {
	const events = 1 << 20
	log := projectiontest.Busy(b, events)
	for _, p := range all() {
		b.Run(p.Name, func(b *testing.B) {
			for b.Loop() {
				path := filepath.Join(b.TempDir(), "projections.db")
				s, err := projections.Open(path, log, discard, p)
				if err := errors.Join(err, s.CatchUp(b.Context()), s.Close(), os.Remove(path)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkFold measures folding alone.
func BenchmarkFold(b *testing.B) {
	const events = 1 << 20
	log := projectiontest.Busy(b, events)
	for _, p := range all() {
		b.Run(p.Name, func(b *testing.B) {
			for b.Loop() {
				f := p.New()
				for r, err := range log.Read(b.Context(), 1) {
					if err := errors.Join(err, f.Apply(r)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkLive measures how fast written events show in all the views, a thousand
// written at a time: by one who waits for each thousand to show, and by one who writes
// on and waits at the end.
func BenchmarkLive(b *testing.B) {
	for _, c := range []struct {
		name   string
		writes int // between two waits
	}{{"waiting", 1}, {"writing on", 100}} {
		b.Run(c.name, func(b *testing.B) { benchmarkLive(b, c.writes) })
	}
}

func benchmarkLive(b *testing.B, writes int) {
	const batch = 1000
	f := &fixture{path: filepath.Join(b.TempDir(), "projections.db"), log: memlog.New()}
	s, err := projections.Open(f.path, f.log, discard, all()...)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	b.Cleanup(func() {
		if err := errors.Join(<-done, s.Close()); err != nil {
			b.Error(err)
		}
	})
	records := projectiontest.BusyRecords(batch * 2000)
	for b.Loop() {
		for range writes {
			last := f.log.Last()
			if int(last)+batch > len(records) {
				b.Skip("the records are used up; use a smaller -benchtime")
			}
			if _, err := f.log.Append(ctx, last, domain.Batch{Records: records[last : last+batch]}); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.WaitFor(ctx, f.log.Last()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batch*writes*b.N)/b.Elapsed().Seconds(), "events/s")
}
