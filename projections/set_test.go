package projections_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/memlog"
	"rollcall/projections"
	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/sessions"
)

var discard = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const story = `
+0s service-configured Service=1 Name=chat Settings.Kind=local
+0s device-enrolled Person=1 Offer=1
+10s login-requested Device=2 Service=1 Account=1
+0s login-admitted Session=3 Seats=1
+1s login-accepted Session=3
`

const lost = `+60s coverage-lost Session=3 Silent=30s`

// fixture is a log with a folder for its views.
type fixture struct {
	*testing.T
	log  *memlog.Log
	path string
	said bytes.Buffer // what the set logged
}

func newFixture(t *testing.T, text string) *fixture {
	return &fixture{
		T:    t,
		log:  projectiontest.Log(t, projectiontest.Records(t, text)),
		path: filepath.Join(t.TempDir(), "projections.db"),
	}
}

func (f *fixture) open(ps ...projections.Projection) *projections.Set {
	f.Helper()
	return f.openOn(f.log, ps...)
}

func (f *fixture) openOn(log projections.Log, ps ...projections.Projection) *projections.Set {
	f.Helper()
	if ps == nil {
		ps = []projections.Projection{sessions.Projection()}
	}
	s, err := projections.Open(f.path, log, slog.New(slog.NewTextHandler(&f.said, nil)), ps...)
	if err != nil {
		f.Fatalf("Open: %v", err)
	}
	return s
}

func (f *fixture) close(s *projections.Set) {
	f.Helper()
	if err := s.Close(); err != nil {
		f.Fatalf("Close: %v", err)
	}
}

// made opens the views, brings them up to date, and closes them.
func (f *fixture) made(ps ...projections.Projection) string {
	f.Helper()
	s := f.open(ps...)
	defer f.close(s)
	f.catchUp(s)
	return f.dump(s, s.Names()[0])
}

func (f *fixture) catchUp(s *projections.Set) {
	f.Helper()
	if err := s.CatchUp(f.Context()); err != nil {
		f.Fatalf("CatchUp: %v", err)
	}
}

func (f *fixture) append(text string) domain.Position {
	f.Helper()
	before := f.log.Last()
	records := projectiontest.Records(f, text)
	for i := range records {
		records[i].Position += before
		records[i].Time = records[i].Time.AddDate(1, 0, 0)
	}
	last, err := f.log.Append(f.Context(), before, domain.Batch{Records: records})
	if err != nil {
		f.Fatal(err)
	}
	return last
}

// dump gives the rows of a view, and its position in front.
func (f *fixture) dump(s *projections.Set, name string) (text string) {
	f.Helper()
	err := s.View(name, func(snapshot projections.Snapshot) error {
		text = projectiontest.Dump(snapshot.Rows)
		return nil
	})
	if err != nil {
		f.Fatalf("View(%s): %v", name, err)
	}
	return text
}

// edit changes the file while nobody has it open.
func (f *fixture) edit(change func(tx *bbolt.Tx) error) {
	f.Helper()
	db, err := bbolt.Open(f.path, 0o600, nil)
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		f.Fatal(err)
	}
}

func live(tx *bbolt.Tx, name string) *bbolt.Bucket {
	return tx.Bucket([]byte("live")).Bucket([]byte(name))
}

func TestViewsThatDoNotFitAreMadeAnew(t *testing.T) {
	newer := sessions.Projection()
	newer.Version++
	for _, c := range []struct {
		name   string
		change func(f *fixture) projections.Projection
		says   string
	}{
		{"nothing changed", func(f *fixture) projections.Projection { return sessions.Projection() }, ""},
		{"file deleted", func(f *fixture) projections.Projection {
			if err := os.Remove(f.path); err != nil {
				f.Fatal(err)
			}
			return sessions.Projection()
		}, ""},
		{"another version", func(f *fixture) projections.Projection { return newer }, "it has version 1"},
		{"another log", func(f *fixture) projections.Projection {
			f.log = projectiontest.Log(f, projectiontest.Records(f, story))
			return sessions.Projection()
		}, "another log"},
		{"a log cut short", func(f *fixture) projections.Projection {
			f.log = memlog.NewWithID(f.log.ID())
			return sessions.Projection()
		}, "it ends at position 5, and the log at 0"},
		{"a log with another past", func(f *fixture) projections.Projection {
			id := f.log.ID()
			f.log = memlog.NewWithID(id)
			f.append(story)
			return sessions.Projection()
		}, "up to position 5 the log has other records"},
		{"cursor lost", func(f *fixture) projections.Projection {
			f.edit(func(tx *bbolt.Tx) error { return live(tx, sessions.Name).Delete([]byte("about")) })
			return sessions.Projection()
		}, "its cursor cannot be read"},
		{"row not readable", func(f *fixture) projections.Projection {
			f.edit(func(tx *bbolt.Tx) error {
				return live(tx, sessions.Name).Bucket([]byte("view")).Put([]byte("session/00000000000000000003"), []byte("{"))
			})
			return sessions.Projection()
		}, "decode row session/00000000000000000003"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, story)
			f.made()
			p := c.change(f)
			var records []domain.Record
			for r, err := range f.log.Read(t.Context(), 1) {
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, r)
			}
			if got, want := f.made(p), projectiontest.Fold(t, p, records); got != want {
				t.Errorf("view = %q, want %q", got, want)
			}
			if said := f.said.String(); !strings.Contains(said, c.says) || c.says == "" && said != "" {
				t.Errorf("logged %q, want %q", said, c.says)
			}
		})
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	f := newFixture(t, story)
	want := f.made()
	whole, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
	}{
		{"not a database", func([]byte) []byte { return []byte("not a database") }},
		{"zeroes", func(b []byte) []byte { return make([]byte, len(b)) }},
		{"both meta pages", func(b []byte) []byte { copy(b, make([]byte, 2*os.Getpagesize())); return b }},
		{"all but the meta pages", func(b []byte) []byte { clear(b[2*os.Getpagesize():]); return b }},
		{"cut behind the meta pages", func(b []byte) []byte { return b[:2*os.Getpagesize()] }},
		{"cut in the middle", func(b []byte) []byte { return b[:len(b)/2] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(f.path, c.damage(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			f.said.Reset()
			if got := f.made(); got != want {
				t.Errorf("view = %q, want %q", got, want)
			}
			if _, err := os.Stat(f.path + ".damaged"); err != nil && f.said.Len() > 0 {
				t.Errorf("the damaged file is gone: %v", err)
			}
		})
	}
}

func TestOpenTwice(t *testing.T) {
	f := newFixture(t, story)
	s := f.open()
	defer f.close(s)
	_, err := projections.Open(f.path, f.log, discard, sessions.Projection())
	var inUse *eventstore.InUseError
	if !errors.As(err, &inUse) {
		t.Errorf("second Open = %v, want an InUseError", err)
	}
}

// running runs a set until stop is called, which gives what Run gave.
func (f *fixture) running(s *projections.Set) (stop func() error) {
	ctx, cancel := context.WithCancel(f.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

func TestRunShowsWhatIsWritten(t *testing.T) {
	f := newFixture(t, story)
	s := f.open()
	defer f.close(s)
	stop := f.running(s)
	for range 20 {
		last := f.append(lost)
		if err := s.WaitFor(t.Context(), last); err != nil {
			t.Fatalf("WaitFor(%d): %v", last, err)
		}
		_, at, err := sessions.In(s).List()
		if err != nil || at < last {
			t.Fatalf("List = as of %d, %v; want %d", at, err, last)
		}
	}
	if err := s.Run(t.Context()); !errors.Is(err, projections.ErrRunning) {
		t.Errorf("second Run = %v, want %v", err, projections.ErrRunning)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

func TestWaitFor(t *testing.T) {
	f := newFixture(t, story)
	s := f.open()
	defer f.close(s)
	f.catchUp(s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WaitFor(ctx, 6); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitFor(6) = %v, want %v", err, context.Canceled)
	}
	if err := s.WaitFor(ctx, 5, sessions.Name); err != nil {
		t.Errorf("WaitFor(5) = %v, want nil", err)
	}
	if err := s.WaitFor(ctx, 5, "weather"); !errors.Is(err, projections.ErrUnknownProjection) {
		t.Errorf("WaitFor(weather) = %v, want %v", err, projections.ErrUnknownProjection)
	}
}
