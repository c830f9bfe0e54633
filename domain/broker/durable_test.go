package broker_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestNothingGoesToADeviceBeforeItIsDurable holds the disk of the inbox while a
// message comes: neither the device nor upstream may hear of it.
func TestNothingGoesToADeviceBeforeItIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		_, link := h.login(h.device("alice"), "alice")
		talk, disk := h.up.last(), make(chan struct{})
		before := talk.isSafe()
		inbox.set(disk, nil)
		go talk.deliver(message(1))
		time.Sleep(time.Hour)
		if got := bodies(link); got != nil {
			t.Errorf("the device got %v, which is not on disk", got)
		}
		if got := talk.isSafe(); got != before {
			t.Errorf("upstream heard that %d is received, want %d: no more is on disk", got, before)
		}
		close(disk)
		synctest.Wait()
		if diff := cmp.Diff([]string{"1"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if got := talk.isSafe(); got != before+1 {
			t.Errorf("upstream heard that %d is received, want %d", got, before+1)
		}
	})
}

// TestUpstreamHearsReceivedWithoutTheDevice has the inbox take a message while its
// device is away: that is enough for upstream.
func TestUpstreamHearsReceivedWithoutTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, _ := h.login(h.device("alice"), "alice")
		session.Detach()
		talk := h.up.last()
		before := talk.isSafe()
		talk.deliver(message(1))
		if _, letters := inbox.waiting(); letters != 1 || talk.isSafe() != before+1 {
			t.Errorf("%d letters are kept and %d is received, want 1 and %d", letters, talk.isSafe(), before+1)
		}
	})
}

// TestFullInboxMakesUpstreamWait has the disk of the inbox fill up and be freed.
func TestFullInboxMakesUpstreamWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, link := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		before := talk.isSafe()
		inbox.set(nil, broker.ErrInboxFull)
		delivered := make(chan struct{})
		go func() { talk.deliver(message(1)); close(delivered) }()
		time.Sleep(time.Minute)
		select {
		case <-delivered:
			t.Fatal("upstream went on, with no room for what it had brought")
		default:
		}
		if bodies(link) != nil || talk.isSafe() != before {
			t.Errorf("the device got %v and upstream heard of %d, want nothing and %d", bodies(link), talk.isSafe(), before)
		}
		if err := session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"}); err != nil || len(talk.allSent()) != 1 {
			t.Errorf("Receive = %v with %v sent, want that a full inbox holds up no message of the device", err, talk.allSent())
		}
		inbox.set(nil, nil)
		time.Sleep(time.Minute)
		<-delivered
		if diff := cmp.Diff([]string{"1"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if err := h.Err(); err != nil || talk.isSafe() != before+1 {
			t.Errorf("Err = %v and %d is received, want none and %d", err, talk.isSafe(), before+1)
		}
	})
}

// TestFullInboxRefusesWhatIsOffered to a session that is awake, or sleeps.
func TestFullInboxRefusesWhatIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		talk := h.up.last()
		before := talk.isSafe()
		offer := func() error {
			talk.seq++
			return talk.sink.(broker.Refuser).Offer(talk.seq, message(1))
		}
		began := time.Now()
		inbox.set(nil, broker.ErrInboxFull)
		if err := offer(); !errors.Is(err, broker.ErrInboxFull) || time.Since(began) > 0 {
			t.Errorf("Offer with a full inbox = %v after %v, want ErrInboxFull at once", err, time.Since(began))
		}
		if bodies(link) != nil || talk.isSafe() != before {
			t.Errorf("the device got %v and upstream heard of %d, want nothing and %d", bodies(link), talk.isSafe(), before)
		}
		inbox.set(nil, nil)
		if err := offer(); err != nil || talk.isSafe() != talk.seq {
			t.Errorf("Offer = %v with %d received, want it kept and %d", err, talk.isSafe(), talk.seq)
		}

		h = h.again(inbox, nil)
		deposit := func() (bool, error) {
			return h.Deposit(t.Context(), h.up.Kind(), "alice", message(2))
		}
		began = time.Now()
		inbox.set(nil, broker.ErrInboxFull)
		if kept, err := deposit(); kept || !errors.Is(err, broker.ErrInboxFull) || time.Since(began) > 0 {
			t.Errorf("Deposit with a full inbox = %v, %v after %v, want ErrInboxFull at once", kept, err, time.Since(began))
		}
		inbox.set(nil, nil)
		if kept, err := deposit(); !kept || err != nil {
			t.Errorf("Deposit = %v, %v, want it kept", kept, err)
		}
		_, link = h.resume(alice, accepted, 0)
		if diff := cmp.Diff([]string{"1", "2"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFullInboxLetsASessionEnd has a session end whose message finds no room: it
// stays upstream's.
func TestFullInboxLetsASessionEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, _ := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		before := talk.isSafe()
		inbox.set(nil, broker.ErrInboxFull)
		delivered := make(chan struct{})
		go func() { talk.deliver(message(1)); close(delivered) }()
		synctest.Wait()
		if err := session.Receive(t.Context(), broker.Logout{}); err != nil {
			t.Fatal(err)
		}
		<-delivered // or the test hangs
		if got := talk.isSafe(); got != before {
			t.Errorf("upstream heard that %d is received, want %d", got, before)
		}
	})
}

// TestFullInboxHidesNoLostUpstream has the connection upstream break behind a message
// that waits for room: the device's next message shows it.
func TestFullInboxHidesNoLostUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, link := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		inbox.set(nil, broker.ErrInboxFull)
		go func() { talk.deliver(message(1)); talk.deliver(broker.Closed{}) }()
		talk.setRefuse(errors.New("the connection broke"))
		time.Sleep(time.Minute)
		if err := session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := first[broker.Notice](t, link); n.Cause != domain.EndUpstreamClosed {
			t.Errorf("notice = %+v, want that upstream closed", n)
		}
		inbox.set(nil, nil)
		time.Sleep(time.Minute)
		if got := talk.isSafe(); got != 1 { // the roster
			t.Errorf("upstream heard that %d is received, want 1", got)
		}
	})
}

func TestFailedInboxStopsTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		_, link := h.login(h.device("alice"), "alice")
		talk, fault := h.up.last(), errors.New("input/output error")
		before := talk.isSafe()
		inbox.set(nil, fault)
		talk.deliver(message(1))
		synctest.Wait()
		select {
		case <-h.Failed():
		default:
			t.Fatal("the broker goes on after its inbox has failed")
		}
		if err := h.Err(); !errors.Is(err, fault) {
			t.Errorf("Err = %v, want %v", err, fault)
		}
		if bodies(link) != nil || talk.isSafe() != before {
			t.Errorf("the device got %v and upstream heard of %d, want nothing and %d", bodies(link), talk.isSafe(), before)
		}
	})
}

func named(id, body string) broker.MessageReceived {
	return broker.MessageReceived{ID: id, From: "bob", Body: body}
}

// TestDuplicateIsAcknowledgedAndNotShownTwice has a server deliver again what it
// was told is received: also to the device's next session and after a restart.
func TestDuplicateIsAcknowledgedAndNotShownTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		for range 2 {
			h.up.last().deliver(named("a", "hello"))
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"hello"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if got := h.up.last().isSafe(); got != 3 { // the roster and two messages
			t.Errorf("%d is received, want 3: the second copy too", got)
		}
		if err := session.Receive(t.Context(), broker.Ack{Number: 1}); err != nil {
			t.Fatal(err)
		}
		h = h.again(inbox, nil)
		_, link = h.resume(alice, accepted, 1)
		h.up.last().deliver(named("a", "hello"))
		synctest.Wait()
		if got := bodies(link); got != nil {
			t.Errorf("after a restart the device got %v again", got)
		}
		if got := h.up.last().isSafe(); got != 2 {
			t.Errorf("%d is received, want 2: the copy too", got)
		}
		if got := h.Stats().Duplicates; got != 1 {
			t.Errorf("%d duplicates are counted, want 1", got)
		}
	})
}

// TestTwoTextsUnderOneIDAreBothShown is about clients that begin to count anew.
func TestTwoTextsUnderOneIDAreBothShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHouseWith(t, nil)
		_, link := h.login(h.device("alice"), "alice")
		h.up.last().deliver(named("1", "hello"))
		h.up.last().deliver(named("1", "are you there?"))
		synctest.Wait()
		if diff := cmp.Diff([]string{"hello", "are you there?"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestDeviceThatClaimsTooMuch has a device say after a restart that it has more
// than any mailbox ever held.
func TestDeviceThatClaimsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		h = h.again(inbox, nil)
		_, link = h.resume(alice, accepted, 1<<64-1)
		h.up.last().deliver(message(1))
		h.up.last().deliver(message(2))
		synctest.Wait()
		if diff := cmp.Diff([]string{"1", "2"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if err := h.Err(); err != nil {
			t.Error(err)
		}
	})
}
