package device_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/adapters/device"
	"rollcall/domain/broker"
)

func TestNewsReachesTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		s, at := h.login()
		var got seen
		done := background(s, got.handler())
		for _, body := range everyState {
			at.tell(body)
		}
		synctest.Wait()
		if diff := cmp.Diff(everyState, got.states); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		s.Logout()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestNewsGoesOnWhereItWasLeft(t *testing.T) {
	for name, c := range map[string]struct {
		epoch uint64
		heard uint64
		again int // how often the first news is told in all
	}{
		"in one epoch":     {epoch: 7, heard: 4, again: 1},
		"in another epoch": {epoch: 8, heard: 0, again: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				s, at := h.login()
				var got seen
				done := background(s, got.handler())
				for _, body := range everyState {
					at.tell(body)
				}
				synctest.Wait()
				at.restart(c.epoch)
				at.tell(everyState[1])
				time.Sleep(time.Minute)
				at.restart(c.epoch) // what was learnt in this epoch is known now
				time.Sleep(time.Minute)
				synctest.Wait()
				if diff := cmp.Diff([]uint64{c.heard, 5}, at.heard); diff != "" {
					t.Errorf("told the server to have heard (-want +got):\n%s", diff)
				}
				if n := strings.Count(fmt.Sprint(got.states), "{[{bob@example.org"); n != c.again {
					t.Errorf("the roster was told %d times, want %d", n, c.again)
				}
				s.Logout()
				if err := <-done; err != nil {
					t.Errorf("Run = %v", err)
				}
			})
		})
	}
}

// restart cuts the link, and numbers states in another epoch from now on.
func (s *fakeSession) restart(epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = epoch
	if s.link != nil {
		s.link.Close()
		s.link = nil
	}
}

func TestLongRosterComesInPartsAndIsOne(t *testing.T) {
	h := newHouse(t)
	s, at := h.login()
	var got seen
	done := background(s, got.handler())
	var long broker.RosterReceived
	for i := range 9000 {
		long.Contacts = append(long.Contacts, broker.Contact{Address: fmt.Sprintf("%x@example.org", i*7919*7919*7919), Name: strings.Repeat("x", 50)})
	}
	at.tell(long)
	giant := broker.Contact{Address: "giant", Name: strings.Repeat("x", 1<<20)}
	at.tell(broker.RosterReceived{Contacts: []broker.Contact{long.Contacts[0], giant}})
	s.Logout()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	want := []any{long, broker.RosterReceived{Contacts: long.Contacts[:1]}}
	if diff := cmp.Diff(want, got.states); diff != "" {
		t.Errorf("states (-want +got):\n%.2000s", diff)
	}
	if n := h.server.Stats().ItemsDropped; n != 1 {
		t.Errorf("%d dropped, want the giant only", n)
	}
}

func TestItemsGoOnFromAnEarlierSession(t *testing.T) {
	h := newHouse(t)
	h.broker.before = 41
	s, at := h.login()
	var got seen
	done := background(s, got.handler())
	at.deliver(broker.MessageReceived{From: "bob", Body: "42"})
	eventually(t, "the item is acknowledged", func() bool { at.mu.Lock(); defer at.mu.Unlock(); return len(at.unacked) == 0 })
	s.Logout()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	if len(got.items) != 1 {
		t.Errorf("items %v, want one", got.items)
	}
}

func TestDroppedItemsMayJump(t *testing.T) {
	for name, c := range map[string]struct {
		before, count uint64
		taken         bool
	}{
		"exactly":          {before: 5, count: 3, taken: true},
		"what was had too": {before: 7, count: 5, taken: true},
		"all there ever":   {before: 5, count: 1 << 63, taken: true},
		"with a gap":       {before: 4, count: 3, taken: false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.broker.before = c.before
				s, at := h.login()
				at.mend(7)
				var got seen
				done := background(s, got.handler())
				at.deliver(broker.Dropped{Count: c.count})
				synctest.Wait()
				if taken := len(got.items) == 1; taken != c.taken {
					t.Errorf("item 8, for %d, after %d: items %v", c.count, c.before, got.items)
				}
				at.mend(c.before)
				time.Sleep(time.Minute)
				s.Logout()
				if err := <-done; err != nil {
					t.Errorf("Run = %v", err)
				}
			})
		})
	}
}

func TestSealedItemsAreOpenedForTheHandler(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	s, err := h.client(i).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatal(err)
	}
	at := h.broker.session(s.ID())
	var got seen
	done := background(s, got.handler())
	m := broker.MessageReceived{ID: "m-1", From: "bob", Body: "while you were away"}
	sealed, err := device.Sealer{}.Seal([32]byte(i.PublicKey()), 1, m)
	if err != nil {
		t.Fatal(err)
	}
	at.deliver(broker.Sealed(sealed))
	at.deliver(broker.Sealed(sealed)) // under another number
	at.deliver(m)
	eventually(t, "all acknowledged", func() bool { at.mu.Lock(); defer at.mu.Unlock(); return len(at.unacked) == 0 })
	s.Logout()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	want := []any{m, device.Unreadable{Err: device.ErrSealed}, m}
	if diff := cmp.Diff(want, got.items, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestComeBackIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		s, at := h.login()
		var told *device.ComeBackError
		began, back := time.Now(), time.Duration(0)
		done := background(s, device.Handler{Coverage: func(covered bool, err error) {
			switch {
			case !covered:
				errors.As(err, &told)
			case told != nil:
				back = time.Since(began)
				s.Logout()
			}
		}})
		at.comeBack(12 * time.Second)
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if told == nil || told.After != 12*time.Second || back < 12*time.Second || back > 14*time.Second {
			t.Errorf("told %v, back after %v, want 12 s and a little", told, back)
		}
	})
}

// mend undoes a mistake of the server's: there is nothing behind that number.
func (s *fakeSession) mend(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number, s.unacked = number, nil
}

func (s *fakeSession) comeBack(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(broker.ComeBack{After: after})
}
