package broker_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestEveryDefenceIsCounted provokes each defence and sees its number move.
func TestEveryDefenceIsCounted(t *testing.T) {
	wrongPassword := &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "no"}
	for _, c := range []struct {
		name    string
		provoke func(h *house)
		number  func(s broker.Stats) uint64
		want    uint64
	}{
		{"accepted", func(h *house) { h.login(h.device("a"), "a") }, func(s broker.Stats) uint64 { return s.Accepted }, 1},
		{"server-busy", func(h *house) {
			h.configure(maximum(1))
			for _, name := range []string{"a", "b", "c"} {
				h.login(h.device(name), name)
			}
		}, rejected(domain.RejectServerBusy), 2},
		{"failed-300", func(h *house) {
			h.configure(func(s *domain.Settings) { s.ProtocolTotal = domain.Some(uint32(1)) })
			h.login(h.device("a"), "a")
			h.login(h.device("b"), "b")
		}, rejected(domain.RejectFailed300), 1},
		{"bad-credentials", func(h *house) {
			h.up.set(wrongPassword, nil)
			h.login(h.device("a"), "a")
		}, rejected(domain.RejectBadCredentials), 1},
		{"backed-off", func(h *house) {
			h.up.set(wrongPassword, nil)
			a := h.device("a")
			h.login(a, "a")
			h.login(a, "a")
		}, rejected(domain.RejectBackedOff), 1},
		{"idled-out", func(h *house) {
			h.configure(maximum(1), idle(time.Minute))
			h.login(h.device("a"), "a")
			time.Sleep(2 * time.Minute)
			h.login(h.device("b"), "b")
		}, func(s broker.Stats) uint64 { return s.IdledOut }, 1},
		{"ended", func(h *house) {
			h.login(h.device("a"), "a")
			h.up.last().deliver(broker.Closed{})
		}, func(s broker.Stats) uint64 { return s.Ended[domain.EndUpstreamClosed] }, 1},
		{"resumed", func(h *house) {
			a := h.device("a")
			session, link := h.login(a, "a")
			session.Detach()
			time.Sleep(time.Minute)
			h.resume(a, first[broker.Accepted](h.T, link), 0)
		}, func(s broker.Stats) uint64 { return s.Resumed }, 1},
		{"held back", func(h *house) {
			a := h.device("a")
			for range 22 {
				h.login(a, "a")
			}
		}, func(s broker.Stats) uint64 { return s.HeldBack }, 2},
		{"sent away", func(h *house) {
			a := h.device("a")
			for range 30 {
				go h.Login(h.Context(), broker.Login{Device: a, Service: "im", Account: "a", Password: password}, &line{})
			}
			time.Sleep(time.Minute)
		}, func(s broker.Stats) uint64 { return s.SentAway }, 7},
		{"older link", func(h *house) {
			a := h.device("a")
			old, link := h.login(a, "a")
			h.resume(a, first[broker.Accepted](h.T, link), 0)
			for range 3 {
				old.Receive(h.Context(), broker.Status{})
			}
		}, func(s broker.Stats) uint64 { return s.OlderLinks }, 3},
		{"roster cut", func(h *house) {
			for _, name := range []string{"a", "b"} {
				h.login(h.device(name), name)
				for range 2 { // counted once
					h.up.last().deliver(broker.RosterReceived{Contacts: make([]broker.Contact, 5001)})
				}
			}
		}, func(s broker.Stats) uint64 { return s.RostersCut }, 2},
		{"full log", func(h *house) {
			a := h.device("a")
			h.log.setFail(domain.ErrLogFull)
			go h.Login(h.Context(), broker.Login{Device: a, Service: "im", Account: "a", Password: password}, &line{})
			time.Sleep(time.Minute)
			if !h.Stats().LogFull {
				h.Error("the log is full, and the stats do not say so")
			}
			h.log.setFail(nil)
			time.Sleep(time.Minute)
			if h.Stats().LogFull {
				h.Error("the log has room again, and the stats do not say so")
			}
		}, func(s broker.Stats) uint64 { return s.LogFilled }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				if n := c.number(h.Stats()); n != 0 {
					t.Errorf("counted %d before anything happened", n)
				}
				c.provoke(h)
				synctest.Wait()
				if n := c.number(h.Stats()); n != c.want {
					t.Errorf("counted %d, want %d; %+v", n, c.want, h.Stats())
				}
			})
		})
	}
}

// TestQueuesAreTold has devices find a full house: the queue grows with each, and
// falls as time passes.
func TestQueuesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.configure(maximum(1))
		h.login(h.device("inside"), "inside")
		queue := func() time.Duration {
			queues, err := h.Queues(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return queues["im"].Round(time.Millisecond)
		}
		if got := queue(); got != 0 {
			t.Errorf("the queue is %v long before anybody was sent away", got)
		}
		for i := range 3 {
			name := fmt.Sprint("a", i)
			h.login(h.device(name), name)
		}
		if got := queue(); got != 30*time.Second+3*20*time.Millisecond {
			t.Errorf("the queue is %v long, want that of three devices", got)
		}
		time.Sleep(10 * time.Second)
		if got := queue(); got != 20*time.Second+3*20*time.Millisecond {
			t.Errorf("the queue is %v long 10 s later", got)
		}
		time.Sleep(time.Minute)
		if got := queue(); got != 0 {
			t.Errorf("the queue is %v long when all have returned", got)
		}
	})
}

func rejected(code domain.RejectCode) func(broker.Stats) uint64 {
	return func(s broker.Stats) uint64 { return s.Rejected[code] }
}

func TestWaitingForUpstreamIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		hold := make(chan struct{})
		h.up.set(nil, hold)
		for i := range 7 { // places there are for four
			name := fmt.Sprint("a", i)
			id := h.device(name)
			go h.Login(t.Context(), broker.Login{Device: id, Service: "im", Account: name, Password: password}, &line{})
		}
		synctest.Wait()
		if s := h.Stats(); s.Connecting != 4 || s.Waiting != 3 {
			t.Errorf("%d logins are under way and %d wait, want 4 and 3", s.Connecting, s.Waiting)
		}
		close(hold)
		synctest.Wait()
		if s := h.Stats(); s.Connecting != 0 || s.Waiting != 0 || s.Accepted != 7 {
			t.Errorf("when upstream answers: %+v", s)
		}
	})
}

func TestReloginsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		a := h.device("a")
		_, link := h.login(a, "a")
		if err := h.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		h = open(t, h.log, &upstream{})
		h.resume(a, first[broker.Accepted](t, link), 0)
		if n := h.Stats().Relogins; n != 1 {
			t.Errorf("counted %d logins for devices that came back, want 1", n)
		}
	})
}

func TestCommitsAreMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		before := h.Stats()
		hold := make(chan struct{})
		h.log.setHold(hold)
		go h.OfferEnrolment(t.Context(), broker.Offer{Person: "a", ValidFor: time.Minute, Accounts: []broker.AccountRef{{Service: "im", Account: "a"}}})
		synctest.Wait()
		time.Sleep(300 * time.Millisecond)
		h.log.setHold(nil)
		close(hold)
		synctest.Wait()
		after := h.Stats()
		bucket := func(h broker.Histogram, bound float64) (n uint64) {
			for i, b := range h.Bounds {
				if b == bound {
					n = h.Counts[i]
				}
			}
			return n
		}
		if slow := after.Commits.Count - bucket(after.Commits, 0.2) - (before.Commits.Count - bucket(before.Commits, 0.2)); slow != 1 {
			t.Errorf("%d commits took longer than 0.2 s, want 1", slow)
		}
		if took := after.Commits.Sum - before.Commits.Sum; took < 0.3 || took > 0.31 {
			t.Errorf("the commits took %v s, want 0.3", took)
		}
		if records := after.Batches.Sum - before.Batches.Sum; records != 2 { // a permission and an offer
			t.Errorf("the batches had %v records, want 2", records)
		}
	})
}

// told is an inbox that only tells how it stands.
type told struct {
	broker.Inbox
	stats broker.InboxStats
}

func (i told) InboxStats() broker.InboxStats { return i.stats }

func TestInboxIsAskedHowItStands(t *testing.T) {
	want := broker.InboxStats{Mailboxes: 2, Letters: 7, Bytes: 900, Dropped: 3}
	b, err := broker.Open(t.Context(), broker.Config{Log: newMemory(), Inbox: told{stats: want}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop(context.Background())
	if diff := cmp.Diff(&want, b.Stats().Inbox); diff != "" {
		t.Error(diff)
	}
	if newHouse(t).Stats().Inbox != nil {
		t.Error("a broker without an inbox tells how one stands")
	}
}
