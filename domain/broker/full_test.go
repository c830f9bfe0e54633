package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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

// A device that comes back while there is no room at all is told when to return: that
// its coverage is lost is waited for by nobody else.
func TestFullLogSendsResumesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		a := first[broker.Accepted](t, link)
		h.log.setFail(domain.ErrLogFull)
		session.Detach()
		time.Sleep(time.Minute)
		_, link = h.resume(alice, a, 0)
		if got := first[broker.ResumeRefused](t, link); got.Ended || got.RetryAfter == 0 || got.Text == "" {
			t.Errorf("the device got %+v, want the reason and when to return", got)
		}
		from := h.log.last() + 1
		h.log.setFail(nil)
		time.Sleep(time.Minute)
		if s, link := h.resume(alice, a, 0); s == nil {
			t.Errorf("the device got %v, want its session now that there is room", link.all())
		}
		if diff := cmp.Diff([]string{"coverage-lost", "session-resumed"}, h.log.types(from)); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

// TestResumeDoesNotOutliveItsLink has a device resume again and again while the disk
// takes its time with its first return.
func TestResumeDoesNotOutliveItsLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		a, hold := first[broker.Accepted](t, link), make(chan struct{})
		session.Detach()
		time.Sleep(time.Minute)
		h.log.setHold(hold)
		r := broker.Resume{Device: alice, Session: a.Session, Secret: a.Resume}
		go h.Resume(t.Context(), r, &line{})
		synctest.Wait()
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := h.Resume(ctx, r, &line{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Resume = %v, want the error of its context", err)
			}
			cancel()
		}
		close(hold)
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

// A device had gone silent on a link that stands when the disk became full. When it is
// heard again there is no room to say so: neither that link nor its next one is held up.
func TestSilentDeviceIsHeardOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		h.log.setFail(domain.ErrLogFull)
		time.Sleep(10 * time.Minute)
		heard := make(chan error, 1)
		go func() { heard <- session.Receive(t.Context(), broker.Status{}) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		again := &line{}
		resumed := make(chan error, 1)
		go func() {
			_, err := h.Resume(ctx, broker.Resume{Device: alice, Session: accepted.Session, Secret: accepted.Resume}, again)
			resumed <- err
		}()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(heard) == 0 {
			t.Error("the first link is held up")
		}
		if len(resumed) == 0 {
			t.Error("the next link is held up")
		}
		h.log.setFail(nil)
		time.Sleep(time.Minute)
		<-heard
		<-resumed
	})
}
