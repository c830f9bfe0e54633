package broker_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// leaveThree logs a device in, delivers three messages of which it has the first,
// and takes its link away.
func (h *house) leaveThree(id domain.DeviceID, account string) broker.Accepted {
	h.Helper()
	session, link := h.login(id, account)
	for i := range 3 {
		h.up.last().deliver(message(i + 1))
	}
	synctest.Wait()
	if err := session.Receive(h.Context(), broker.Ack{Number: 1}); err != nil {
		h.Fatal(err)
	}
	session.Detach()
	return first[broker.Accepted](h.T, link)
}

// TestLettersOfAnEndedSessionReachTheNext has a session end with letters that its
// device does not have: they are for that device's next session under the
// account, and for nobody else's.
func TestLettersOfAnEndedSessionReachTheNext(t *testing.T) {
	ends := map[string]func(h *house, id domain.SessionID){
		"by an operator": func(h *house, id domain.SessionID) {
			if err := h.EndSession(h.Context(), id); err != nil {
				h.Fatal(err)
			}
		},
		"by upstream":    func(h *house, _ domain.SessionID) { h.up.last().deliver(broker.Closed{}) },
		"superseded":     func(*house, domain.SessionID) {},
		"for inactivity": func(*house, domain.SessionID) { time.Sleep(time.Hour) },
	}
	for name, end := range ends {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h, inbox := newHouseWith(t, nil)
					h.configure(inactivity(30 * time.Minute))
					phone, tablet, bob := h.device("alice"), h.device("alice"), h.device("bob")
					a := h.leaveThree(phone, "alice")
					end(h, a.Session)
					synctest.Wait()
					if restart {
						h = h.again(inbox, nil)
					}
					_, others := h.login(tablet, "alice")
					_, bobs := h.login(bob, "bob")
					_, link := h.login(phone, "alice")
					synctest.Wait()
					if got := append(bodies(others), bodies(bobs)...); got != nil {
						t.Errorf("others got %v", got)
					}
					if diff := cmp.Diff([]string{"2", "3"}, bodies(link)); diff != "" {
						t.Error(diff)
					}
					if got := first[broker.Accepted](t, link).Received; got != 1 {
						t.Errorf("the new session begins behind item %d, want 1", got)
					}
				})
			})
		}
	}
}

// TestLettersOfAnotherAccountStayApart has one device use two accounts.
func TestLettersOfAnotherAccountStayApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHouseWith(t, nil)
		phone := h.device("alice")
		if _, err := h.PermitPerson(t.Context(), "alice", broker.AccountRef{Service: "im", Account: "work"}); err != nil {
			t.Fatal(err)
		}
		h.leaveThree(phone, "alice")
		session, link := h.login(phone, "work")
		if session == nil {
			t.Fatalf("the device got %v", link.all())
		}
		synctest.Wait()
		if got := bodies(link); got != nil {
			t.Errorf("a session under another account got %v", got)
		}
		_, link = h.login(phone, "alice")
		synctest.Wait()
		if diff := cmp.Diff([]string{"2", "3"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
	})
}

// slowToDrop is an inbox that takes its time to drop a mailbox.
type slowToDrop struct{ *heldInbox }

func (i slowToDrop) Drop(ctx context.Context, id broker.MailboxID) error {
	for range 1000 { // not Sleep, see Forget below
		runtime.Gosched()
	}
	return i.heldInbox.Drop(ctx, id)
}

// TestErasureIsThroughWhenItIsAnswered looks at once: whoever erased a person may
// say so.
func TestErasureIsThroughWhenItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := slowToDrop{newHeldInbox()}
		h := openOn(t, newMemory(), &upstream{}, func(c *broker.Config) { c.Inbox = inbox })
		h.configure()
		a := h.leaveThree(h.device("alice"), "alice")
		if err := h.EndSession(t.Context(), a.Session); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := h.ErasePerson(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if mailboxes, letters := inbox.waiting(); mailboxes+letters != 0 {
			t.Errorf("%d letters in %d mailboxes are left, want none", letters, mailboxes)
		}
	})
}

// slowToForget is an inbox that takes its time to forget, if it can until the next
// session has looked what there is.
type slowToForget struct {
	*heldInbox
	began, looked, forgot chan struct{}
	forget, look          sync.Once
}

func (i *slowToForget) Forget(id broker.MailboxID, number uint64) {
	i.forget.Do(func() {
		close(i.began)
		for range 10_000 { // not Sleep: time stands still while anybody waits for a lock
			if isClosed(i.looked) {
				break
			}
			runtime.Gosched()
		}
		i.heldInbox.Forget(id, number)
		close(i.forgot)
	})
}

func (i *slowToForget) Letters(ctx context.Context, id broker.MailboxID, from uint64, limit int) ([]broker.Kept, error) {
	kept, err := i.heldInbox.Letters(ctx, id, from, limit)
	if limit == 1 {
		i.look.Do(func() { close(i.looked) })
		<-i.forgot
	}
	return kept, err
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestAcknowledgementDuringATakeoverIsNoLoss has a session acknowledge letters
// while the device's next one takes the mailbox over: what is forgotten then is
// not missing.
func TestAcknowledgementDuringATakeoverIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inbox := &slowToForget{heldInbox: newHeldInbox(), began: make(chan struct{}), looked: make(chan struct{}), forgot: make(chan struct{})}
		h := openOn(t, newMemory(), &upstream{}, func(c *broker.Config) { c.Inbox = inbox })
		h.configure()
		phone := h.device("alice")
		session, _ := h.login(phone, "alice")
		for i := range 3 {
			h.up.last().deliver(message(i + 1))
		}
		synctest.Wait()
		acknowledged := make(chan struct{})
		go func() {
			defer close(acknowledged)
			_ = session.Receive(t.Context(), broker.Ack{Number: 2})
		}()
		<-inbox.began
		_, link := h.login(phone, "alice")
		<-acknowledged
		synctest.Wait()
		for _, m := range link.all() {
			if item, ok := m.(broker.Item); ok {
				if d, dropped := item.Body.(broker.Dropped); dropped {
					t.Errorf("the device is told that %d messages were dropped, which it has", d.Count)
				}
			}
		}
		if got := bodies(link); len(got) == 0 || got[len(got)-1] != "3" {
			t.Errorf("the next session got %v, want the third message at least", got)
		}
	})
}

// TestNothingIsRemovedBeforeItIsOnRecord has a login fail while the revocation of its
// device is on its way to the disk: until it is there, what waits may be called for.
func TestNothingIsRemovedBeforeItIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		alice, answer, hold := h.device("alice"), make(chan struct{}), make(chan struct{})
		if err := h.EndSession(t.Context(), h.leaveThree(alice, "alice").Session); err != nil {
			t.Fatal(err)
		}
		h.up.set(&broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "no route"}, answer)
		go h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, &line{})
		synctest.Wait()
		h.log.setHold(hold)
		go h.RevokeDevice(context.Background(), alice)
		synctest.Wait()
		close(answer)
		for _, want := range []int{2, 0} {
			synctest.Wait()
			if _, got := inbox.waiting(); got != want {
				t.Errorf("%d letters wait, want %d", got, want)
			}
			if want > 0 {
				close(hold)
			}
		}
	})
}
