package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestStopWaitsForTheLoginsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		hold := make(chan struct{})
		h.up.set(nil, hold)
		h.up.deaf = true // the login comes to an end some time after it was given up
		from := h.log.last() + 1
		link := &line{}
		go h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, link)
		synctest.Wait()
		stopped := false
		go func() { h.Stop(t.Context()); stopped = true }()
		synctest.Wait()
		if stopped {
			t.Error("Stop returned while a login was under way")
		}
		close(hold)
		synctest.Wait()
		if !h.up.last().isOut() {
			t.Error("the broker has stopped, and the login that was under way is still logged in upstream")
		}
		want := []string{"login-requested", "login-admitted", "login-rejected", "broker-stopped"}
		if diff := cmp.Diff(want, h.log.types(from)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStopGivesUpWaitingWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		hold := make(chan struct{})
		defer close(hold)
		h.up.set(nil, hold)
		h.up.deaf = true
		go h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, &line{})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		h.Stop(ctx)
		if took := time.Since(began); took != time.Second {
			t.Errorf("Stop took %v, want the second that its context allows", took)
		}
		if got := h.log.types(h.log.last()); got[0] != "broker-stopped" {
			t.Errorf("the last record is %v, want broker-stopped", got)
		}
	})
}

// TestDeviceThatResumesDuringStopKeepsItsSession would otherwise be told that the
// session is over, and forget it.
func TestDeviceThatResumesDuringStopKeepsItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		h.Stop(t.Context())
		h = open(t, h.log, &upstream{})
		hold := make(chan struct{})
		h.up.set(nil, hold)
		h.up.deaf = true
		link = &line{}
		var session broker.Session
		var err error
		go func() {
			session, err = h.Resume(t.Context(), broker.Resume{Device: alice, Session: accepted.Session, Secret: accepted.Resume}, link)
		}()
		synctest.Wait()
		go h.Stop(t.Context())
		synctest.Wait()
		close(hold)
		synctest.Wait()
		if session != nil || !errors.Is(err, broker.ErrStopped) || len(link.all()) != 0 {
			t.Errorf("Resume = %v, %v, the device got %v; want ErrStopped and no answer", session, err, link.all())
		}
		if !h.up.last().isOut() {
			t.Error("the conversation outlives the broker")
		}
	})
}

// TestServerThatClosesAtLogoutEndsNothing is about servers that answer a logout
// by closing, and connectors that tell so.
func TestServerThatClosesAtLogoutEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.login(h.device("alice"), "alice")
		talk := h.up.last()
		talk.atLogout = func() { talk.deliver(broker.Closed{Err: errors.New("bye")}) }
		from := h.log.last() + 1
		h.Stop(t.Context())
		if diff := cmp.Diff([]string{"broker-stopped"}, h.log.types(from)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNobodyIsLetInBeforeStartOrAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		h.Stop(t.Context())
		from := h.log.last() + 1
		b, err := broker.Open(t.Context(), broker.Config{Log: h.log, Connectors: []broker.Connector{h.up}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			link := &line{}
			s, err := b.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, link)
			if s != nil || !errors.Is(err, broker.ErrStopped) || len(link.all()) != 0 {
				t.Errorf("Login = %v, %v, the device got %v; want ErrStopped and no answer", s, err, link.all())
			}
			b.Stop(t.Context())
		}
		if err := b.Start(t.Context()); !errors.Is(err, broker.ErrStopped) {
			t.Errorf("Start after Stop = %v, want ErrStopped", err)
		}
		if got := h.log.types(from); len(got) != 0 {
			t.Errorf("recorded %v, want nothing", got)
		}
	})
}

func TestWakingUsesTheSettingsAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(s *domain.Settings) { s.Address = "old" })
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		h.Stop(t.Context())
		h = open(t, h.log, &upstream{})
		h.up.set(&broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "no route"}, nil)
		h.resume(alice, accepted, 0)
		h.configure(func(s *domain.Settings) { s.Address = "new" }) // the operator mends it
		h.up.set(nil, nil)
		if s, link := h.resume(alice, accepted, 0); s == nil {
			t.Fatalf("the device got %v, want its session", link.all())
		}
		if got := h.up.logins[len(h.up.logins)-1].Settings.Address; got != "new" {
			t.Errorf("the session was woken at address %q, want the present one", got)
		}
	})
}

// TestOneStuckServiceDoesNotHoldUpAnother fills every place of one service with
// logins that are not answered.
func TestOneStuckServiceDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		if _, err := h.ConfigureService(t.Context(), "well", domain.Settings{Kind: domain.KindLocal}); err != nil {
			t.Fatal(err)
		}
		hold := make(chan struct{})
		defer close(hold)
		h.up.set(nil, hold)
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			id := h.device(name)
			go h.Login(t.Context(), broker.Login{Device: id, Service: "im", Account: name, Password: password}, &line{})
		}
		synctest.Wait()
		h.up.set(nil, nil)
		alice := h.device("alice")
		if _, err := h.PermitPerson(t.Context(), "alice", broker.AccountRef{Service: "well", Account: "alice"}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		link := &line{}
		s, err := h.Login(t.Context(), broker.Login{Device: alice, Service: "well", Account: "alice", Password: password}, link)
		if s == nil || err != nil || time.Since(began) != 0 {
			t.Errorf("Login = %v, %v after %v, want a session at once", s, err, time.Since(began))
		}
	})
}

func TestRevokedDeviceWithALiveLinkIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		if err := h.RevokeDevice(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		s, link := h.login(alice, "alice")
		if got := first[broker.Rejected](t, link); s != nil || got.Code != domain.RejectNotPermitted || got.Text == "" {
			t.Errorf("the device got %v and %+v, want not-permitted and why", s, got)
		}
	})
}

func TestKeyOfAnOddLengthSpendsNoOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		offer, err := h.OfferEnrolment(t.Context(), broker.Offer{Person: "alice", ValidFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range [][]byte{nil, make([]byte, 31)} {
			if id, err := h.Enrol(t.Context(), broker.Enrolment{Secret: offer.Secret, Key: key}); !errors.Is(err, broker.ErrUnknownKey) {
				t.Errorf("Enrol(%d bytes) = %d, %v, want ErrUnknownKey", len(key), id, err)
			}
		}
		if _, err := h.Enrol(t.Context(), broker.Enrolment{Secret: nil, Key: make([]byte, 32)}); !errors.Is(err, broker.ErrUnknownSecret) {
			t.Errorf("Enrol without a secret = %v, want ErrUnknownSecret", err)
		}
		if _, err := h.Enrol(t.Context(), broker.Enrolment{Secret: offer.Secret, Key: bytes.Repeat([]byte{7}, 32)}); err != nil {
			t.Errorf("Enrol = %v", err)
		}
	})
}

// TestSendsThatLostTheirAnswersAreNotSentAgain is about a link that takes a
// thousand answers and delivers none.
func TestSendsThatLostTheirAnswersAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		for round := range 2 {
			for i := range 1000 { // what the device library keeps unanswered
				id := message(i).Body
				if i == 10 {
					h.up.last().setRefuse(&broker.SendError{Text: "no such recipient"})
				}
				if err := session.Receive(t.Context(), broker.Send{ID: id, To: "bob"}); err != nil {
					t.Fatal(err)
				}
				h.up.last().setRefuse(nil)
			}
			if got := len(h.up.last().allSent()); got != 999 {
				t.Fatalf("round %d: upstream got %d messages, want 999 once and one refused", round, got)
			}
			session.Detach()
			old := link
			session, link = h.resume(alice, first[broker.Accepted](t, old), 1)
			link.got = append(link.got, first[broker.Accepted](t, old))
		}
	})
}

// TestMessagesArriveWhileOneIsBeingSent is about a server that does not read on
// before it has written: were Deliver to wait for Send, both would wait.
func TestMessagesArriveWhileOneIsBeingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, link := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		talk.hold = make(chan struct{})
		go session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"})
		synctest.Wait()
		delivered := false
		go func() { talk.deliver(message(1)); delivered = true }()
		synctest.Wait()
		if !delivered || len(bodies(link)) != 1 {
			t.Error("nothing is delivered while a message is being sent")
		}
		close(talk.hold)
		synctest.Wait()
		first[broker.Sent](t, link)
	})
}

func TestEndOfASessionDoesNotWaitForASendUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, link := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		talk.hold = make(chan struct{})
		defer close(talk.hold)
		go session.Receive(t.Context(), broker.Send{ID: "1", To: "bob"})
		synctest.Wait()
		if err := h.EndSession(t.Context(), first[broker.Accepted](t, link).Session); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := first[broker.Notice](t, link); n.Cause != domain.EndedByOperator {
			t.Errorf("notice = %+v", n)
		}
		if !talk.isOut() {
			t.Error("the session is still logged in upstream")
		}
	})
}

// wrong is a clock that can be set.
type wrong struct {
	broker.SystemClock
	by atomic.Int64 // nanoseconds
}

func (w *wrong) Now() time.Time { return time.Now().Add(time.Duration(w.by.Load())).Round(0) }

// TestClockThatWentBackEndsNobodyWhoIsHeard has the clock stand an hour ahead for
// a moment, in which something is recorded.
func TestClockThatWentBackEndsNobodyWhoIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, clock := newMemory(), &wrong{}
		b, err := broker.Open(t.Context(), broker.Config{Log: log, Connectors: []broker.Connector{&upstream{}}, Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Stop(t.Context())
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		h := &house{T: t, Broker: b, log: log}
		h.configure(inactivity(5*time.Minute), maximum(2), idle(5*time.Minute))
		session, link := h.login(h.device("alice"), "alice")
		bob := h.device("bob")
		clock.by.Store(int64(time.Hour))
		h.device("carol") // on record, an hour ahead
		clock.by.Store(0)
		for range 10 {
			time.Sleep(time.Minute)
			session.Receive(t.Context(), broker.Status{})
			h.login(bob, "bob") // supersedes itself, and has the timeouts looked at
		}
		synctest.Wait()
		if link.isClosed() {
			t.Errorf("the session was ended: %+v", first[broker.Notice](t, link))
		}
	})
}

// TestClockThatWentForwardEndsNobodyWhoIsHeard has a full house, and a newcomer right
// after the clock was set: nobody has been silent for longer because of that.
func TestClockThatWentForwardEndsNobodyWhoIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &wrong{}
		h, _ := newHouseWith(t, func(c *broker.Config) { c.Clock = clock })
		h.configure(maximum(1), idle(5*time.Minute), inactivity(10*time.Minute))
		session, _ := h.login(h.device("alice"), "alice")
		bob, from := h.device("bob"), h.log.last()+1
		for range 60 {
			clock.by.Add(int64(10 * time.Minute))
			if s, link := h.login(bob, "bob"); s != nil {
				t.Fatalf("the newcomer got %v, want to be refused", link.all())
			}
			time.Sleep(time.Minute)
			if err := session.Receive(t.Context(), broker.Status{}); err != nil {
				t.Fatal(err)
			}
		}
		if types := h.log.types(from); slices.Contains(types, "coverage-lost") {
			t.Errorf("recorded %v, want no lost coverage", types)
		}
	})
}

// TestTimeGoesOnBehindAClockThatWentBack has the clock go back by a day: what is due in
// a minute is due in a minute, also where the broker is started meanwhile.
func TestTimeGoesOnBehindAClockThatWentBack(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %v", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &wrong{}
				with := func(c *broker.Config) { c.Clock = clock }
				h, inbox := newHouseWith(t, with)
				clock.by.Store(-int64(24 * time.Hour))
				if restart {
					h = h.again(inbox, with)
				}
				offer, err := h.OfferEnrolment(t.Context(), broker.Offer{Person: "alice", ValidFor: time.Minute})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(90 * time.Second)
				_, err = h.Enrol(t.Context(), broker.Enrolment{Secret: offer.Secret, Key: bytes.Repeat([]byte{9}, 32)})
				if !errors.Is(err, domain.ErrOfferExpired) {
					t.Errorf("Enrol = %v, want that the string has expired", err)
				}
			})
		})
	}
}

// The line at the end counts the seats that are kept: also those of devices that
// have not been heard of since the start.
func TestStopCountsTheSeatsThatAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		h, inbox := newHouseWith(t, nil)
		h.login(h.device("alice"), "alice")
		h.login(h.device("bob"), "bob")
		h = h.again(inbox, func(c *broker.Config) { c.Logger = slog.New(slog.NewTextHandler(&said, nil)) })
		h.login(h.device("carol"), "carol")
		if err := h.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := "sessions keep their seats\" sessions=3\n"; !strings.Contains(said.String(), want) {
			t.Errorf("said %q, want %q", said.String(), want)
		}
	})
}
