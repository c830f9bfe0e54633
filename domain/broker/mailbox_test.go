package broker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestMessagesOutliveTheSession has messages come for a device that is away when
// its session is ended.
func TestMessagesOutliveTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		id := first[broker.Accepted](t, link).Session
		h.up.last().deliver(message(1))
		synctest.Wait()
		session.Receive(t.Context(), broker.Ack{Number: 1})
		session.Detach()
		h.up.last().deliver(message(2))
		h.EndSession(t.Context(), id)
		synctest.Wait()
		h = h.again(inbox, nil)
		_, link = h.login(alice, "alice")
		synctest.Wait()
		if got := first[broker.Accepted](t, link).Received; got != 1 || lastItem(link) != 2 {
			t.Errorf("items begin behind %d and end with %d, want behind 1 and with 2", got, lastItem(link))
		}
		if diff := cmp.Diff([]string{"2"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLateWordOnWhatIsSafe has a session end before its device could acknowledge, and
// the broker start again, from the log or from a snapshot.
func TestLateWordOnWhatIsSafe(t *testing.T) {
	for name, due := range map[string]bool{"from the log": false, "from a snapshot": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := &snapshots{}
				with := func(c *broker.Config) { c.Snapshots = kept }
				h, inbox := newHouseWith(t, with)
				alice := h.device("alice")
				session, link := h.login(alice, "alice")
				accepted := first[broker.Accepted](t, link)
				h.up.last().deliver(message(1))
				h.up.last().deliver(message(2))
				session.Detach()
				h.EndSession(t.Context(), accepted.Session)
				synctest.Wait()
				kept.set(func(s *snapshots) { s.due = due })
				h = h.again(inbox, with)
				h.resume(alice, accepted, 1) // and hears that it is over
				_, link = h.login(alice, "alice")
				synctest.Wait()
				if diff := cmp.Diff([]string{"2"}, bodies(link)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestMailboxesThatGo(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(h *house, alice domain.DeviceID, s domain.SessionID)
		want int // mailboxes that are left
	}{
		{"ended", func(h *house, _ domain.DeviceID, s domain.SessionID) { h.EndSession(h.Context(), s) }, 1},
		{"device revoked", func(h *house, alice domain.DeviceID, _ domain.SessionID) { h.RevokeDevice(h.Context(), alice) }, 0},
		{"person barred", func(h *house, _ domain.DeviceID, _ domain.SessionID) { h.BarPerson(h.Context(), "alice") }, 0},
		{"service removed", func(h *house, _ domain.DeviceID, _ domain.SessionID) { h.RemoveService(h.Context(), "im") }, 0},
		{"person erased", func(h *house, _ domain.DeviceID, _ domain.SessionID) { h.ErasePerson(h.Context(), "alice") }, 0},
		{"ended, then revoked", func(h *house, alice domain.DeviceID, s domain.SessionID) {
			h.EndSession(h.Context(), s)
			time.Sleep(time.Minute)
			h.RevokeDevice(h.Context(), alice)
		}, 0},
		{"ended, and nobody comes for a while", func(h *house, _ domain.DeviceID, s domain.SessionID) {
			h.EndSession(h.Context(), s)
			time.Sleep(29 * 24 * time.Hour)
		}, 1},
		{"ended, and nobody comes", func(h *house, _ domain.DeviceID, s domain.SessionID) {
			h.EndSession(h.Context(), s)
			time.Sleep(32 * 24 * time.Hour)
		}, 0},
		{"nothing ended, for as long", func(*house, domain.DeviceID, domain.SessionID) { time.Sleep(32 * 24 * time.Hour) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, inbox := newHouseWith(t, func(c *broker.Config) { c.Timing.StatusInterval = 12 * time.Hour })
				alice := h.device("alice")
				session, link := h.login(alice, "alice")
				session.Detach()
				h.up.last().deliver(message(1))
				tt.end(h, alice, first[broker.Accepted](t, link).Session)
				synctest.Wait()
				if got, _ := inbox.waiting(); got != tt.want {
					t.Errorf("%d mailboxes are left, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestLogoutLeavesNoMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, _ := h.login(h.device("alice"), "alice")
		h.up.last().deliver(message(1))
		synctest.Wait()
		session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"})
		session.Receive(t.Context(), broker.Ack{Number: 1})
		session.Receive(t.Context(), broker.Logout{Answered: true})
		synctest.Wait()
		if got, _ := inbox.waiting(); got != 0 {
			t.Errorf("%d mailboxes are left of a session that left nothing", got)
		}
	})
}

func TestMessageIsSentOnceAcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		taken, refused := broker.Send{ID: "1", To: "bob", Body: "x"}, broker.Send{ID: "2", To: "nobody", Body: "x"}
		session.Receive(t.Context(), taken)
		h.up.last().setRefuse(&broker.SendError{Text: "no such recipient"})
		session.Receive(t.Context(), refused)
		h = h.again(inbox, nil)
		session, link = h.resume(alice, accepted, 0)
		session.Receive(t.Context(), taken)
		session.Receive(t.Context(), refused)
		synctest.Wait()
		if got := h.up.last().allSent(); len(got) != 0 {
			t.Errorf("upstream got %v again", got)
		}
		answers := map[string]bool{}
		for _, m := range link.all() {
			if m, ok := m.(broker.Sent); ok {
				answers[m.ID] = m.Error != ""
			}
		}
		if diff := cmp.Diff(map[string]bool{"1": false, "2": true}, answers); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}
	})
}

// TestOutcomeThatNobodyKnows has upstream not answer in time.
func TestOutcomeThatNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, link := h.login(h.device("alice"), "alice")
		h.up.last().hold = make(chan struct{})
		defer close(h.up.last().hold)
		session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"})
		synctest.Wait()
		for _, m := range link.all() {
			if m, ok := m.(broker.Sent); ok {
				t.Errorf("the device was told %+v", m)
			}
		}
		if !link.isClosed() {
			t.Error("the link is open still: the device does not know that it is to ask again")
		}
	})
}

// TestBacklogIsSentAsItIsAcknowledged has more wait than may be in flight.
func TestBacklogIsSentAsItIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		session.Detach()
		var want []string
		for i := range 500 {
			h.up.last().deliver(message(i))
			want = append(want, fmt.Sprint(i))
		}
		session, link = h.resume(alice, accepted, 0)
		synctest.Wait()
		if got := lastItem(link); got != 128 {
			t.Errorf("%d items are in flight, want 128", got)
		}
		for range 20 {
			session.Receive(t.Context(), broker.Ack{Number: lastItem(link)})
			synctest.Wait()
		}
		if diff := cmp.Diff(want, bodies(link)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatGaveWayIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		session.Detach()
		for i := range 1034 {
			h.up.last().deliver(message(i))
		}
		_, link = h.resume(alice, accepted, 0)
		synctest.Wait()
		want := broker.Item{Number: 11, Body: broker.Dropped{Count: 11}}
		if diff := cmp.Diff(want, first[broker.Item](t, link)); diff != "" {
			t.Error(diff)
		}
	})
}
