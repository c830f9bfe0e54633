package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func TestFullLogIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.device("alice"), h.device("bob")
		session, link := h.login(alice, "alice")
		h.log.setFail(domain.ErrLogFull)
		loggedOut := make(chan error, 1)
		go func() { loggedOut <- session.Receive(t.Context(), broker.Logout{}) }()
		synctest.Wait()
		time.Sleep(10 * time.Second)

		_, refused := h.login(bob, "bob")
		if got := first[broker.Rejected](t, refused); got.Code != domain.RejectInterrupted || got.RetryAfter == 0 || got.Text == "" {
			t.Errorf("a newcomer got %+v, want the reason and when to return", got)
		}
		if err := h.EndSession(t.Context(), 1); !errors.Is(err, domain.ErrLogFull) {
			t.Errorf("EndSession = %v, want ErrLogFull", err)
		}
		if seats, err := h.Seats(t.Context()); err != nil {
			t.Errorf("Seats = %v, %v, want an answer", seats, err)
		}
		select {
		case err := <-loggedOut:
			t.Fatalf("the logout was answered (%v) before it was on record", err)
		default:
		}

		h.log.setFail(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if err := <-loggedOut; err != nil {
			t.Errorf("the logout, when there was room = %v", err)
		}
		if n := first[broker.Notice](t, link); n.Cause != domain.EndLogout {
			t.Errorf("notice = %+v, want logout", n)
		}
		if s, link := h.login(bob, "bob"); s == nil {
			t.Errorf("the newcomer got %v, want a session now that there is room", link.all())
		}
	})
}

func TestStopDoesNotWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, _ := h.login(h.device("alice"), "alice")
		h.log.setFail(domain.ErrLogFull)
		go session.Receive(context.Background(), broker.Logout{})
		time.Sleep(5 * time.Second)
		began := time.Now()
		_ = h.Stop(t.Context()) // what it gives tells of the full log; here it only has to return
		if waited := time.Since(began); waited > time.Minute {
			t.Errorf("Stop took %v", waited)
		}
	})
}

func TestOperatorWithoutAnApplianceIsToldOfAFullLog(t *testing.T) {
	log := newMemory()
	b, err := broker.Open(t.Context(), broker.Config{Log: log, Connectors: []broker.Connector{&upstream{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop(context.Background())
	log.setFail(domain.ErrLogFull)
	if _, err := b.ConfigureService(t.Context(), "im", domain.Settings{Kind: domain.KindLocal}); !errors.Is(err, domain.ErrLogFull) {
		t.Errorf("ConfigureService = %v, want ErrLogFull at once", err)
	}
}
