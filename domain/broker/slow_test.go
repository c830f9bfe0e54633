package broker_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain/broker"
)

// slowLine is a link that, once it is slow, takes nothing until hold is closed.
type slowLine struct {
	line
	slow atomic.Bool
	hold chan struct{}
}

func (l *slowLine) Send(m broker.ToDevice) error {
	if l.slow.Load() {
		<-l.hold
	}
	return l.line.Send(m)
}

// TestSlowDeviceHoldsUpNobody has a device read nothing, while messages and news
// come for it: neither its upstream, nor its own messages, nor anybody else waits.
func TestSlowDeviceHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		slow := &slowLine{hold: make(chan struct{})}
		session, err := h.Login(t.Context(), broker.Login{Device: h.device("alice"), Service: "im", Account: "alice", Password: password}, slow)
		if err != nil {
			t.Fatal(err)
		}
		slow.slow.Store(true)
		talk := h.up.last()
		_, link := h.login(h.device("bob"), "bob")
		bobs := h.up.last()
		delivered := make(chan struct{})
		go func() {
			defer close(delivered)
			for i := range 1000 {
				talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.Show(2 + i%3)})
				talk.deliver(message(i))
			}
		}()
		bobs.deliver(message(1))
		<-delivered // or the test hangs
		synctest.Wait()
		if diff := cmp.Diff([]string{"1"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if _, letters := inbox.waiting(); letters != 1001 || talk.isSafe() != 2001 {
			t.Errorf("%d letters wait and %d is received, want 1001 and 2001", letters, talk.isSafe())
		}
		close(slow.hold)
		synctest.Wait()
		for range 10 {
			if err := session.Receive(t.Context(), broker.Ack{Number: lastItem(&slow.line)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if got := bodies(&slow.line); len(got) != 1000 || got[999] != "999" {
			t.Errorf("the device got %d messages, want 1000", len(got))
		}
	})
}
