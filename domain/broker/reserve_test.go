package broker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// reserving is a log that keeps room for so many batches when its disk is full.
type reserving struct {
	*memory
	kept int
}

func (r *reserving) AppendReserved(ctx context.Context, after domain.Position, b domain.Batch) (domain.Position, error) {
	r.mu.Lock()
	full := r.fail
	if full != nil && r.kept == 0 {
		r.mu.Unlock()
		return 0, full
	}
	if full != nil {
		r.kept--
	}
	r.fail = nil
	r.mu.Unlock()
	defer r.setFail(full)
	return r.memory.Append(ctx, after, b)
}

func (r *reserving) MakeRoom(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fail
}

// newReserving makes a house whose log keeps room.
func newReserving(t *testing.T, kept int) *house {
	t.Helper()
	log, up := newMemory(), &upstream{}
	b, err := broker.Open(t.Context(), broker.Config{Log: &reserving{log, kept}, Connectors: []broker.Connector{up}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop(context.Background()) })
	h := &house{T: t, Broker: b, log: log, up: up}
	h.configure()
	return h
}

// With a full disk, newcomers are refused with the reason, and whoever is there can
// leave, is logged out, and is told; when there is room again newcomers are let in.
func TestFullLogKeepsRoomForEndings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newReserving(t, 100)
		alice, bob, carol := h.device("alice"), h.device("bob"), h.device("carol")
		one, link := h.login(alice, "alice")
		_, second := h.login(bob, "bob")
		h.log.setFail(domain.ErrLogFull)
		time.Sleep(10 * time.Second)

		if err := one.Receive(t.Context(), broker.Logout{}); err != nil {
			t.Errorf("the logout = %v", err)
		}
		synctest.Wait()
		if n := first[broker.Notice](t, link); n.Cause != domain.EndLogout {
			t.Errorf("notice = %+v, want logout", n)
		}
		_, refused := h.login(carol, "carol")
		if got := first[broker.Rejected](t, refused); got.Code != domain.RejectInterrupted || got.RetryAfter == 0 || got.Text == "" {
			t.Errorf("a newcomer got %+v, want the reason and when to return", got)
		}
		if _, err := h.ConfigureService(t.Context(), "other", domain.Settings{Kind: domain.KindLocal}); !errors.Is(err, domain.ErrLogFull) {
			t.Errorf("ConfigureService = %v, want ErrLogFull", err)
		}
		if err := h.EndSession(t.Context(), first[broker.Accepted](t, second).Session); err != nil {
			t.Errorf("EndSession = %v", err)
		}
		time.Sleep(10 * time.Second)
		if _, refused := h.login(carol, "carol"); first[broker.Rejected](t, refused).Code != domain.RejectInterrupted {
			t.Errorf("a newcomer got %v while there was no room", refused.all())
		}

		h.log.setFail(nil)
		time.Sleep(2 * time.Second)
		if s, link := h.login(carol, "carol"); s == nil {
			t.Errorf("the newcomer got %v, want a session now that there is room", link.all())
		}
	})
}

// A broker that stops says so in the log, also with a full disk; and where not even
// the room that is kept is left, it stops without.
func TestFullLogKeepsRoomForStopping(t *testing.T) {
	for name, test := range map[string]struct {
		kept int
		last string
	}{
		"with room that is kept":       {100, "broker-stopped"},
		"when that is used up as well": {1, "session-ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newReserving(t, test.kept)
				alice, bob := h.device("alice"), h.device("bob")
				one, _ := h.login(alice, "alice")
				two, _ := h.login(bob, "bob")
				h.log.setFail(domain.ErrLogFull)
				if err := one.Receive(t.Context(), broker.Logout{}); err != nil {
					t.Fatal(err)
				}
				go func() { _ = two.Receive(context.Background(), broker.Logout{}) }() // waits where there is no room
				synctest.Wait()
				began := time.Now()
				_ = h.Stop(t.Context()) // what it gives tells of the full log
				if waited := time.Since(began); waited > time.Minute {
					t.Errorf("Stop took %v", waited)
				}
				if types := h.log.types(1); types[len(types)-1] != test.last {
					t.Errorf("the log ends with %v, want %s", types, test.last)
				}
			})
		})
	}
}

// A session that becomes inactive during a stop ends in room that is kept, as any other
// ending does: the disk is full, and the broker waits for a message on its way.
func TestFullLogKeepsRoomForTheInactiveDuringAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newReserving(t, 100)
		h.configure(inactivity(5 * time.Minute))
		h.login(h.device("alice"), "alice")
		bob, _ := h.login(h.device("bob"), "bob")
		time.Sleep(5*time.Minute - 5*time.Second)
		h.up.last().hold = make(chan struct{})
		go bob.Receive(context.Background(), broker.Send{ID: "1", To: "alice"})
		synctest.Wait()
		from := h.log.last() + 1
		h.log.setFail(domain.ErrLogFull)
		if err := h.Stop(t.Context()); err != nil {
			t.Errorf("Stop = %v", err)
		}
		if diff := cmp.Diff([]string{"session-ended", "broker-stopped"}, h.log.types(from)); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

// A broker starts on a full disk, for those who are still there.
func TestStartOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newMemory()
		log.setFail(domain.ErrLogFull)
		b, err := broker.Open(t.Context(), broker.Config{Log: &reserving{log, 1}, Connectors: []broker.Connector{&upstream{}}})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Stop(context.Background())
		if err := b.Start(t.Context()); err != nil {
			t.Errorf("Start = %v", err)
		}
		if types := log.types(1); !slices.Equal(types, []string{"broker-started"}) {
			t.Errorf("the log has %v", types)
		}
		if _, err := b.ConfigureService(t.Context(), "im", domain.Settings{Kind: domain.KindLocal}); !errors.Is(err, domain.ErrLogFull) {
			t.Errorf("ConfigureService = %v, want ErrLogFull", err)
		}
	})
}

// An operator who works on a stopped log is told of a full disk, but can take
// something away.
func TestOperatorUsesKeptRoomOnlyToTakeAway(t *testing.T) {
	log := &reserving{newMemory(), 10}
	b, err := broker.Open(t.Context(), broker.Config{Log: log, Connectors: []broker.Connector{&upstream{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop(context.Background())
	if _, err := b.ConfigureService(t.Context(), "im", domain.Settings{Kind: domain.KindLocal}); err != nil {
		t.Fatal(err)
	}
	log.setFail(domain.ErrLogFull)
	if err := b.RemoveService(t.Context(), "im"); err != nil {
		t.Errorf("RemoveService = %v", err)
	}
	if _, err := b.ConfigureService(t.Context(), "other", domain.Settings{Kind: domain.KindLocal}); !errors.Is(err, domain.ErrLogFull) {
		t.Errorf("ConfigureService = %v, want ErrLogFull", err)
	}
}
