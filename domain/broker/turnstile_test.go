package broker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestDeviceThatComesTooOftenIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice, bob := h.device("alice"), h.device("bob")
		began, from := time.Now(), h.log.last()
		for range 20 {
			h.login(alice, "alice")
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("20 logins took %v, want no wait", waited)
		}
		h.login(alice, "alice")
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("the 21st login came after %v, want 1s", waited)
		}
		h.login(bob, "bob")
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("another device waited for the first: %v", waited)
		}
		for range 50 {
			go h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, &line{})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		logins := 0
		for _, name := range h.log.types(from + 1) {
			if name == "login-requested" {
				logins++
			}
		}
		if logins > 21+1+4 {
			t.Errorf("%d logins on record, want those that waited at most 3s", logins)
		}
	})
}

func TestDeviceThatIsSentAwayIsToldWhenToReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		for range 30 {
			go h.Resume(t.Context(), broker.Resume{Device: alice, Session: accepted.Session, Secret: accepted.Resume}, &line{})
		}
		synctest.Wait()
		at := h.log.last()
		_, link = h.login(alice, "alice")
		got := first[broker.Rejected](t, link)
		if got.Code != domain.RejectBackedOff || got.RetryAfter <= 3*time.Second || got.Session != 0 {
			t.Errorf("answer = %+v, want backed-off, with the time, and not on record", got)
		}
		_, link = h.resume(alice, accepted, 0)
		if got := first[broker.ResumeRefused](t, link); got.Ended || got.RetryAfter <= 3*time.Second {
			t.Errorf("answer = %+v, want to try later", got)
		}
		if h.log.last() != at {
			t.Errorf("recorded %v, want nothing", h.log.types(at+1))
		}
		time.Sleep(time.Minute)
		if s, link := h.login(alice, "alice"); s == nil {
			t.Errorf("after a minute the device got %v, want a session", link.all())
		}
	})
}
