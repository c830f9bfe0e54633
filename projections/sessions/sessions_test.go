package sessions_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/eventstore/memlog"
	"rollcall/projections"
	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/sessions"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, sessions.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, sessions.Projection()) }

// open gives the view of a log, up to date.
func open(t *testing.T, dir string, log *memlog.Log) (sessions.View, func()) {
	t.Helper()
	set, err := projections.Open(filepath.Join(dir, "projections.db"), log, slog.New(slog.DiscardHandler), sessions.Projection())
	if err != nil {
		t.Fatal(err)
	}
	if err := set.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sessions.In(set), func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheLedgerAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records, ledger := projectiontest.Draw(rt)
		log := projectiontest.Log(t, records)
		view, done := open(t, t.TempDir(), log)
		defer done()

		list, at, err := view.List()
		if err != nil || int(at) != len(records) {
			rt.Fatalf("List: as of %d, %v; want as of %d", at, err, len(records))
		}
		if diff := cmp.Diff(expected(ledger), stripped(list)); diff != "" {
			rt.Fatalf("List (-ledger +view):\n%s", diff)
		}
		counts, _, err := view.Counts()
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(count(list), counts); diff != "" {
			rt.Fatalf("Counts (-list +counts):\n%s", diff)
		}
		live, last, err := sessions.At(t.Context(), log, projectiontest.Begin.Add(24*time.Hour))
		if err != nil || last != at {
			rt.Fatalf("At: as of %d, %v; want as of %d", last, err, at)
		}
		if diff := cmp.Diff(list, append([]sessions.Session(nil), live...)); diff != "" {
			rt.Fatalf("At (-List +At):\n%s", diff)
		}
	})
}

// expected gives the ledger's seats as sessions without times.
func expected(l *domain.Ledger) []sessions.Session {
	var list []sessions.Session
	for s := range l.Seats() {
		d, _ := l.Device(s.Device)
		state := sessions.Pending
		switch {
		case s.Live && s.Covered:
			state = sessions.Covered
		case s.Live:
			state = sessions.OutOfCoverage
		}
		list = append(list, sessions.Session{
			ID: s.Session, Device: s.Device, Person: d.Person, Account: s.Account, Service: s.Service, State: state,
		})
	}
	return list
}

func stripped(list []sessions.Session) []sessions.Session {
	var out []sessions.Session
	for _, s := range list {
		s.Since, s.CoverageSince = time.Time{}, time.Time{}
		out = append(out, s)
	}
	return out
}

func count(list []sessions.Session) map[domain.ServiceID]sessions.Counts {
	counts := make(map[domain.ServiceID]sessions.Counts)
	for _, s := range list {
		c := counts[s.Service]
		switch s.State {
		case sessions.Pending:
			c.Pending++
		case sessions.Covered:
			c.Covered++
		case sessions.OutOfCoverage:
			c.OutOfCoverage++
		}
		counts[s.Service] = c
	}
	return counts
}

const story = `
+0s service-configured Service=1 Name=chat Settings.Kind=local
+0s device-enrolled Person=1 Offer=1
+10s login-requested Device=2 Service=1 Account=1
+0s login-admitted Session=3 Seats=1
+1s login-accepted Session=3
+60s coverage-lost Session=3 Silent=30s
+9s session-ended Session=3 Cause=1
`

func TestAt(t *testing.T) {
	log := projectiontest.Log(t, projectiontest.Records(t, story))
	at := func(s int) time.Time { return projectiontest.Begin.Add(time.Duration(s) * time.Second) }
	base := sessions.Session{ID: 3, Device: 2, Person: 1, Account: 1, Service: 1, Since: at(10)}
	with := func(state sessions.State, since time.Time) []sessions.Session {
		s := base
		s.State, s.CoverageSince = state, since
		return []sessions.Session{s}
	}
	for _, c := range []struct {
		name string
		at   time.Time
		want []sessions.Session
		last domain.Position
	}{
		{"before the log", at(-1), []sessions.Session{}, 0},
		{"before the login", at(9), []sessions.Session{}, 2},
		{"pending", at(10), with(sessions.Pending, at(10)), 4},
		{"covered", at(70), with(sessions.Covered, at(10)), 5},
		{"out of coverage", at(71), with(sessions.OutOfCoverage, at(41)), 6},
		{"ended", at(80), []sessions.Session{}, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, last, err := sessions.At(t.Context(), log, c.at)
			if err != nil || last != c.last {
				t.Errorf("At = as of %d, %v; want as of %d", last, err, c.last)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("At (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGet(t *testing.T) {
	records := projectiontest.Records(t, story)
	view, done := open(t, t.TempDir(), projectiontest.Log(t, records[:6]))
	defer done()
	want := sessions.Session{
		ID: 3, Device: 2, Person: 1, Account: 1, Service: 1, State: sessions.OutOfCoverage,
		Since: projectiontest.Begin.Add(10 * time.Second), CoverageSince: projectiontest.Begin.Add(41 * time.Second),
	}
	got, ok, err := view.Get(3)
	if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
		t.Errorf("Get(3) = %v, %v (-want +got):\n%s", ok, err, diff)
	}
	if _, ok, err := view.Get(4); ok || err != nil {
		t.Errorf("Get(4) = %v, %v, want none", ok, err)
	}
}
