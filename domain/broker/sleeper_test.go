package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestMessagesReachSessionsThatSleep restarts the broker under a session: what
// comes for its account before its device is back is kept, once.
func TestMessagesReachSessionsThatSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		synctest.Wait()
		accepted := first[broker.Accepted](t, link)
		h.Stop(t.Context())
		h = open(t, h.log, &upstream{})
		kind := (&upstream{}).Kind()

		hello := broker.MessageReceived{ID: "1", From: "bob", Body: "hello"}
		for range 2 { // whose sender heard no answer
			if kept, err := h.Deposit(t.Context(), kind, "alice", hello); !kept || err != nil {
				t.Fatalf("Deposit = %v, %v, want it kept", kept, err)
			}
		}
		for _, nobody := range []string{"alicia", ""} {
			if kept, err := h.Deposit(t.Context(), kind, nobody, hello); kept || err != nil {
				t.Errorf("Deposit for %q = %v, %v, want nobody to keep it for", nobody, kept, err)
			}
		}
		_, link = h.resume(alice, accepted, 0)
		if diff := cmp.Diff([]string{"hello"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if kept, _ := h.Deposit(t.Context(), kind, "alice", hello); kept {
			t.Error("a message was kept for a session that is awake")
		}
	})
}

// TestSleepersAreNotTakenForGoneDuringAStop has a message come for a session that
// sleeps, or was awake, while the broker waits for another one's message.
func TestSleepersAreNotTakenForGoneDuringAStop(t *testing.T) {
	for name, come := range map[string]func(h *house, alice domain.DeviceID, a broker.Accepted){
		"never heard of": func(*house, domain.DeviceID, broker.Accepted) {},
		"written to": func(h *house, _ domain.DeviceID, _ broker.Accepted) {
			if kept, err := h.Deposit(h.Context(), h.up.Kind(), "alice", message(1)); !kept || err != nil {
				h.Fatalf("Deposit = %v, %v, want it kept", kept, err)
			}
		},
		"awake": func(h *house, alice domain.DeviceID, a broker.Accepted) { h.resume(alice, a, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice, bob := h.device("alice"), h.device("bob")
				_, link := h.login(alice, "alice")
				a := first[broker.Accepted](t, link)
				h = h.again(nil, nil)
				come(h, alice, a)
				session, _ := h.login(bob, "bob")
				h.up.last().hold = make(chan struct{})
				go session.Receive(t.Context(), broker.Send{ID: "1", To: "alice"})
				synctest.Wait()
				go h.Stop(context.Background())
				synctest.Wait()
				kept, err := h.Deposit(t.Context(), h.up.Kind(), "alice", message(2))
				if kept || !errors.Is(err, broker.ErrStopped) {
					t.Errorf("Deposit = %v, %v, want ErrStopped", kept, err)
				}
				close(h.up.last().hold)
			})
		})
	}
}

func TestNothingIsKeptForSessionsThatAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		_, link := h.login(h.device("alice"), "alice")
		synctest.Wait()
		id := first[broker.Accepted](t, link).Session
		h.Stop(t.Context())
		h = open(t, h.log, &upstream{})
		if err := h.EndSession(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		kept, err := h.Deposit(t.Context(), (&upstream{}).Kind(), "alice", broker.MessageReceived{ID: "1", From: "bob", Body: "hello"})
		if kept || err != nil {
			t.Errorf("Deposit = %v, %v, want nobody to keep it for", kept, err)
		}
	})
}
