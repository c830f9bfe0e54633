package broker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestAnswersOutliveTheSession has a session end before its device has heard that
// its message was taken: the device asks again in its next session, and the message
// is not sent twice.
func TestAnswersOutliveTheSession(t *testing.T) {
	ends := map[string]func(h *house, alice domain.DeviceID, a broker.Accepted){
		"by an operator": func(h *house, alice domain.DeviceID, a broker.Accepted) {
			if err := h.EndSession(h.Context(), a.Session); err != nil {
				h.Fatal(err)
			}
		},
		"by upstream": func(h *house, _ domain.DeviceID, _ broker.Accepted) { h.up.last().deliver(broker.Closed{}) },
		"superseded":  func(*house, domain.DeviceID, broker.Accepted) {},
		"logged out, first thing on another link": func(h *house, alice domain.DeviceID, a broker.Accepted) {
			session, _ := h.resume(alice, a, 0)
			if err := session.Receive(h.Context(), broker.Logout{}); err != nil {
				h.Fatal(err)
			}
		},
		"a wrong password in between": func(h *house, alice domain.DeviceID, a broker.Accepted) {
			if err := h.EndSession(h.Context(), a.Session); err != nil {
				h.Fatal(err)
			}
			synctest.Wait()
			h.up.set(&broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "no"}, nil)
			h.login(alice, "alice")
			h.up.set(nil, nil)
			time.Sleep(time.Hour)
		},
		"a late word on what is safe": func(h *house, alice domain.DeviceID, a broker.Accepted) {
			h.up.last().deliver(message(1))
			if err := h.EndSession(h.Context(), a.Session); err != nil {
				h.Fatal(err)
			}
			synctest.Wait()
			h.resume(alice, broker.Accepted{Session: a.Session}, 1)
		},
		"somebody else revoked in between": func(h *house, alice domain.DeviceID, a broker.Accepted) {
			if err := h.EndSession(h.Context(), a.Session); err != nil {
				h.Fatal(err)
			}
			synctest.Wait()
			if err := h.RevokeDevice(h.Context(), h.device("bob")); err != nil {
				h.Fatal(err)
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := newHouseWith(t, nil)
				alice, send := h.device("alice"), broker.Send{ID: "1", To: "bob", Body: "hello"}
				session, link := h.login(alice, "alice")
				before := h.up.last()
				if err := session.Receive(t.Context(), send); err != nil {
					t.Fatal(err)
				}
				session.Detach() // the answer is lost with the link
				end(h, alice, first[broker.Accepted](t, link))
				synctest.Wait()
				session, link = h.login(alice, "alice")
				synctest.Wait()
				if session == nil {
					t.Fatalf("the device got %v", link.all())
				}
				if err := session.Receive(t.Context(), send); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := append(before.allSent(), h.up.last().allSent()...); len(got) != 1 {
					t.Errorf("upstream got %v, want the message once", got)
				}
				if got := first[broker.Sent](t, link); got != (broker.Sent{ID: "1"}) {
					t.Errorf("the answer is %+v", got)
				}
			})
		})
	}
}

// slowAnswers is an inbox that tells when it is to keep an answer, and does once hold
// is closed.
type slowAnswers struct {
	*broker.MemoryInbox
	begun, hold chan struct{}
}

func (i slowAnswers) Answer(ctx context.Context, id broker.MailboxID, a broker.Answer) error {
	i.begun <- struct{}{}
	<-i.hold
	return i.MemoryInbox.Answer(ctx, id, a)
}

// TestNextSessionWaitsForTheAnswers has a device log in anew while the answer to its
// message is on its way to the disk. Somebody waits for a lock meanwhile, which a
// bubble of synctest takes for work: so the disk takes its time in earnest.
func TestNextSessionWaitsForTheAnswers(t *testing.T) {
	inbox := slowAnswers{broker.NewMemoryInbox(), make(chan struct{}, 1), make(chan struct{})}
	h := openOn(t, newMemory(), &upstream{}, func(c *broker.Config) { c.Inbox = inbox })
	h.configure()
	alice, send := h.device("alice"), broker.Send{ID: "1", To: "bob", Body: "hello"}
	session, _ := h.login(alice, "alice")
	before := h.up.last()
	go session.Receive(t.Context(), send)
	<-inbox.begun
	time.AfterFunc(50*time.Millisecond, func() { close(inbox.hold) })
	session, _ = h.login(alice, "alice")
	if err := session.Receive(t.Context(), send); err != nil {
		t.Fatal(err)
	}
	if got := append(before.allSent(), h.up.last().allSent()...); len(got) != 1 {
		t.Errorf("upstream got %v, want the message once", got)
	}
}

// TestAnswersDoNotStayForGood has nobody come for them.
func TestAnswersDoNotStayForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, link := h.login(h.device("alice"), "alice")
		if err := session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"}); err != nil {
			t.Fatal(err)
		}
		if err := h.EndSession(t.Context(), first[broker.Accepted](t, link).Session); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{1, 0} {
			synctest.Wait()
			if got, _ := inbox.waiting(); got != want {
				t.Errorf("%d mailboxes are left, want %d", got, want)
			}
			time.Sleep(49 * time.Hour)
		}
	})
}
