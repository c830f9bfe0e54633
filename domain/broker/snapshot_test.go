package broker_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// snapshots keeps one in memory. A snapshot can be taken up to the end of the log,
// and the next is due whenever due is set.
type snapshots struct {
	mu     sync.Mutex
	kept   *broker.Snapshot
	due    bool
	wrong  error // what Load gives
	full   error // what Save gives
	hold   chan struct{}
	saved  int
	loaded int
}

func (s *snapshots) Load(context.Context) (broker.Snapshot, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded++
	if s.wrong != nil || s.kept == nil {
		return broker.Snapshot{}, false, s.wrong
	}
	return *s.kept, true, nil
}

func (s *snapshots) Newest() domain.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due {
		return 1 << 40
	}
	return 0
}

func (s *snapshots) Save(ctx context.Context, taken broker.Snapshot) error {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return s.full
	}
	s.kept, s.due = &taken, false
	s.saved++
	return nil
}

func (s *snapshots) set(change func(*snapshots)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *snapshots) last(t *testing.T) broker.Snapshot {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		t.Fatal("no snapshot is kept")
	}
	return *s.kept
}

// watched is a log that notes from where it is read.
type watched struct {
	*memory
	from []domain.Position
}

func (w *watched) Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	w.from = append(w.from, from)
	return w.memory.Read(ctx, from)
}

func (w *watched) Blocks(ctx context.Context, from domain.Position) iter.Seq2[[]domain.Record, error] {
	w.from = append(w.from, from)
	return w.memory.Blocks(ctx, from)
}

// openWith opens a broker with snapshots, and gives what it says.
func openWith(t *testing.T, log broker.Log, s *snapshots) (*broker.Broker, *bytes.Buffer) {
	t.Helper()
	said := &bytes.Buffer{}
	b, err := broker.Open(t.Context(), broker.Config{
		Log: log, Snapshots: s, Connectors: []broker.Connector{&upstream{}}, Logger: slog.New(slog.NewTextHandler(said, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop(context.Background()) })
	return b, said
}

// lived gives a log in which a person has a device, a session that ended, and one
// that is live; and what the broker knew at its end.
func lived(t *testing.T) (log *memory, ended broker.Accepted, device domain.DeviceID) {
	t.Helper()
	h := newHouse(t)
	device = h.device("ann")
	_, link := h.login(device, "ann")
	ended = first[broker.Accepted](t, link)
	if err := h.EndSession(t.Context(), ended.Session); err != nil {
		t.Fatal(err)
	}
	h.login(device, "ann")
	if err := h.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h.log, ended, device
}

// What the whole log makes, a snapshot and the rest of the log make too; and no more
// of the log is read than that rest.
func TestOpenReadsWhatFollowsTheSnapshot(t *testing.T) {
	log, ended, device := lived(t)
	s := &snapshots{due: true}
	b, _ := openWith(t, log, s)
	if err := errors.Join(b.Start(t.Context()), b.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	taken := s.last(t)
	if taken.Ledger.Position >= log.last() {
		t.Fatalf("the snapshot at %d is not in front of the end at %d", taken.Ledger.Position, log.last())
	}

	w := &watched{memory: log}
	b, said := openWith(t, w, s)
	if diff := cmp.Diff([]domain.Position{taken.Ledger.Position + 1}, w.from); diff != "" {
		t.Errorf("the log is read from (-want +got):\n%s", diff)
	}
	if said.Len() > 0 {
		t.Errorf("it says %q", said)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, Broker: b, log: log}
	if seats, err := h.Seats(t.Context()); err != nil || len(seats) != 1 || seats[0].Covered {
		t.Errorf("seats: %+v, %v; want one, out of coverage", seats, err)
	}
	if _, link := h.login(device, "ann"); len(link.all()) == 0 {
		t.Error("the device cannot log in")
	}
	link := &line{}
	_, _ = h.Resume(t.Context(), broker.Resume{Device: device, Session: ended.Session, Secret: ended.Resume}, link)
	if got := first[broker.ResumeRefused](t, link); got.Cause != domain.EndedByOperator {
		t.Errorf("the device is told %+v of the session that an operator ended", got)
	}
}

// A snapshot that cannot be used is none: the reason is said once, and the whole log
// read.
func TestOpenWithoutAUsableSnapshot(t *testing.T) {
	log, _, device := lived(t)
	cases := []struct {
		name string
		s    *snapshots
	}{
		{"of another history", &snapshots{wrong: errors.New("of another history")}},
		{"of no ledger", &snapshots{kept: &broker.Snapshot{Ledger: domain.State{Seats: []domain.Seat{{Session: 1, Device: 99}}}}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := &watched{memory: log}
			b, said := openWith(t, w, c.s)
			if diff := cmp.Diff([]domain.Position{1}, w.from); diff != "" {
				t.Errorf("the log is read from (-want +got):\n%s", diff)
			}
			if n := strings.Count(said.String(), "the snapshot is not used"); n != 1 || !strings.Contains(said.String(), "level=INFO") {
				t.Errorf("it says %d times why: %s", n, said)
			}
			if seats, err := b.Seats(t.Context()); err != nil || len(seats) != 1 || seats[0].Device != device {
				t.Errorf("seats: %+v, %v", seats, err)
			}
		})
	}
}

// While the broker runs a snapshot is made where one is due: of the log, beside the
// broker, one at a time.
func TestSnapshotIsMadeBesideTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := &snapshots{hold: make(chan struct{})}, newMemory()
		b, said := openWith(t, log, s)
		configure := func(name domain.ServiceName) {
			t.Helper()
			if _, err := b.ConfigureService(t.Context(), name, domain.Settings{Kind: domain.KindLocal}); err != nil {
				t.Fatal(err)
			}
		}
		configure("before")
		s.set(func(s *snapshots) { s.due = true })
		configure("due")
		synctest.Wait()
		configure("meanwhile") // waits for no snapshot
		s.set(func(s *snapshots) { close(s.hold); s.hold = nil })
		synctest.Wait()
		want := domain.NewLedger()
		for r := range log.Read(t.Context(), 1) {
			if r.Position <= 2 {
				want.Apply(r)
			}
		}
		if diff := cmp.Diff(want.State(), s.last(t).Ledger); diff != "" {
			t.Errorf("the snapshot (-want +got):\n%s", diff)
		}
		if s.saved != 1 || said.Len() > 0 {
			t.Errorf("%d snapshots were made, and it says %q", s.saved, said)
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A snapshot that cannot be kept is told, and harms nothing.
func TestSnapshotThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &snapshots{due: true, full: errors.New("no room")}
		b, said := openWith(t, newMemory(), s)
		synctest.Wait()
		for range 3 {
			if err := b.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := said.String(); strings.Count(text, "no snapshot could be kept") != 1 || !strings.Contains(text, "no room") {
			t.Errorf("it says %q", text)
		}
	})
}

// When the broker stops it makes one more, and waits no longer for it than it is
// told to.
func TestSnapshotAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := &snapshots{}, newMemory()
		b, _ := openWith(t, log, s)
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.set(func(s *snapshots) { s.due = true })
		if err := b.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.last(t).Ledger.Position; got != log.last() {
			t.Errorf("the snapshot is at %d, want %d", got, log.last())
		}

		s = &snapshots{due: true, hold: make(chan struct{})} // and never goes on
		b, _ = openWith(t, log, s)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = b.Stop(ctx)
		if s.saved != 0 {
			t.Error("a snapshot that nobody waits for was made")
		}
	})
}
