package broker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func presences(l *line) (shows []broker.Show) {
	for _, m := range l.all() {
		if s, ok := m.(broker.State); ok {
			if p, ok := s.Body.(broker.PresenceChanged); ok {
				shows = append(shows, p.Show)
			}
		}
	}
	return shows
}

// TestDormantDeviceHearsMessagesOnly leaves a device unused, and then uses it in
// each way there is.
func TestDormantDeviceHearsMessagesOnly(t *testing.T) {
	for name, use := range map[string]broker.FromDevice{
		"in use":   broker.Status{InUse: true},
		"a send":   broker.Send{ID: "1", To: "bob"},
		"presence": broker.SetPresence{Presence: broker.OwnPresence{Show: broker.ShowAway}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				session, link := h.login(h.device("alice"), "alice")
				talk := h.up.last()
				talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.ShowAvailable})
				for range 6 {
					time.Sleep(time.Minute)
					session.Receive(t.Context(), broker.Status{})
				}
				talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.ShowBusy})
				talk.deliver(broker.TypingChanged{Contact: "bob", Typing: true})
				talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.ShowAway})
				talk.deliver(message(1))
				synctest.Wait()
				if diff := cmp.Diff([]broker.Show{broker.ShowAvailable}, presences(link)); diff != "" {
					t.Errorf("a device that nobody uses was told:\n%s", diff)
				}
				if got := bodies(link); len(got) != 1 || h.Stats().Withheld != 2 {
					t.Errorf("the device got the messages %v, and %d news were withheld; want one, and 2", got, h.Stats().Withheld)
				}
				session.Receive(t.Context(), use)
				synctest.Wait()
				if diff := cmp.Diff([]broker.Show{broker.ShowAvailable, broker.ShowAway}, presences(link)); diff != "" {
					t.Errorf("used again (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestReturningDeviceHearsWhatChanged comes back once to the same conversation and
// once, after a restart, to another.
func TestReturningDeviceHearsWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		talk := h.up.last()
		talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.ShowAway})
		talk.deliver(broker.PresenceChanged{Contact: "carol", Show: broker.ShowAway})
		synctest.Wait()
		session.Detach()
		talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.ShowBusy})
		talk.deliver(broker.PresenceChanged{Contact: "bob", Show: broker.ShowIdle})
		link = &line{}
		r := broker.Resume{Device: alice, Session: accepted.Session, Secret: accepted.Resume, Epoch: accepted.Epoch, State: 3}
		if _, err := h.Resume(t.Context(), r, link); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := link.all(); len(got) != 2 || presences(link)[0] != broker.ShowIdle {
			t.Errorf("the device got %v, want that it is back, and what holds of bob", got)
		}
		h.Stop(t.Context())
		h = open(t, h.log, &upstream{})
		link = &line{}
		if _, err := h.Resume(t.Context(), r, link); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := first[broker.Resumed](t, link); got.Epoch == accepted.Epoch {
			t.Error("another conversation has the numbering of the first")
		}
		if got, ok := first[broker.State](t, link).Body.(broker.RosterReceived); !ok {
			t.Errorf("the first news is %v, want a whole roster", got)
		}
	})
}

// TestRestartBringsDevicesBackAsARamp has a crowd return at once.
func TestRestartBringsDevicesBackAsARamp(t *testing.T) {
	const crowd, rate = 200, 10 // a second
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		ids, accepted := make([]domain.DeviceID, crowd), make([]broker.Accepted, crowd)
		for i := range crowd {
			name := fmt.Sprint("p", i)
			ids[i] = h.device(name)
			_, link := h.login(ids[i], name)
			accepted[i] = first[broker.Accepted](t, link)
		}
		h = h.again(broker.NewMemoryInbox(), func(c *broker.Config) {
			c.Waking = broker.Rate{Every: time.Second / rate, Burst: 20}
		})
		began := time.Now()
		back, tries := make(chan time.Duration, crowd), make(chan int, crowd)
		for i := range crowd {
			go func() {
				for try := 1; ; try++ {
					link := &line{}
					r := broker.Resume{Device: ids[i], Session: accepted[i].Session, Secret: accepted[i].Resume}
					s, err := h.Resume(context.Background(), r, link)
					if err != nil {
						t.Error(err)
					}
					if s != nil || err != nil {
						back <- time.Since(began)
						tries <- try
						return
					}
					time.Sleep(first[broker.ResumeRefused](t, link).RetryAfter)
				}
			}()
		}
		bySecond, longest, most := map[int]int{}, time.Duration(0), 0
		for range crowd {
			at := <-back
			bySecond[int(at/time.Second)]++
			longest, most = max(longest, at), max(most, <-tries)
		}
		for second, n := range bySecond {
			if second > 0 && n > 2*rate { // jitter lets some fall together
				t.Errorf("%d came back in second %d, want at most %d", n, second, 2*rate)
			}
		}
		if least := time.Duration(crowd-20) * time.Second / rate; longest < least-time.Second || longest > 2*least {
			t.Errorf("all were back after %v, want about %v", longest, least)
		}
		if got := h.Stats(); most > 4 || got.TurnedAway == 0 || got.Waking != 0 {
			t.Errorf("a device tried %d times; %+v", most, got)
		}
	})
}

// TestHintsGrowWithAnOutage comes back over and over to a server that is away.
func TestHintsGrowWithAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		h = h.again(broker.NewMemoryInbox(), nil)
		h.up.set(&broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "no route"}, nil)
		hint := func() time.Duration {
			_, link := h.resume(alice, accepted, 0)
			return first[broker.ResumeRefused](t, link).RetryAfter
		}
		soon := hint()
		time.Sleep(2 * time.Minute)
		longer := hint()
		time.Sleep(24 * time.Hour)
		longest := hint()
		if soon > 20*time.Second || longer < 2*time.Minute || longest < 5*time.Minute || longest > 7*time.Minute {
			t.Errorf("hints of %v, %v and %v, want some seconds, two minutes, five minutes", soon, longer, longest)
		}
	})
}

func TestStopAsksDevicesToComeBackOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		const crowd = 200
		links := make([]*line, crowd)
		for i := range links {
			name := fmt.Sprint("p", i)
			_, links[i] = h.login(h.device(name), name)
		}
		if err := h.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		early := 0
		for _, l := range links {
			all := l.all()
			back, ok := all[len(all)-1].(broker.ComeBack)
			if !ok || !l.isClosed() || back.After < 2*time.Second || back.After > 2401*time.Millisecond {
				t.Fatalf("the last word was %v, closed %v; want to come back after 2 to 2.4 s", all[len(all)-1], l.isClosed())
			}
			if back.After < 2200*time.Millisecond {
				early++
			}
		}
		if early < crowd/4 || early > crowd*3/4 {
			t.Errorf("%d of %d come back in the first half of the time", early, crowd)
		}
	})
}

// TestStopAfterAFailureWaitsForNoAnswer stops after the inbox has failed, while a
// message goes upstream whose recipient this broker cannot give it to any more.
func TestStopAfterAFailureWaitsForNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, link := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		talk.hold = make(chan struct{})
		defer close(talk.hold)
		go session.Receive(context.Background(), broker.Send{ID: "1", To: "bob"})
		synctest.Wait()
		inbox.set(nil, errors.New("input/output error"))
		talk.deliver(message(1))
		began := time.Now()
		h.Stop(context.Background())
		if took := time.Since(began); took != 0 {
			t.Errorf("Stop took %v, want no time: the message cannot arrive", took)
		}
		if all := link.all(); !talk.isOut() || all[len(all)-1] == (broker.ToDevice)(broker.Sent{ID: "1"}) {
			t.Errorf("the last word was %v, and upstream is logged out: %v; want no answer, and true", all[len(all)-1], talk.isOut())
		}
	})
}

// TestStopFinishesWhatIsUnderWay stops while a message goes upstream.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, inbox := newHouseWith(t, nil)
		session, link := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		talk.hold = make(chan struct{})
		go session.Receive(context.Background(), broker.Send{ID: "1", To: "bob"})
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- h.Stop(context.Background()) }()
		synctest.Wait()
		if len(stopped) != 0 || link.isClosed() {
			t.Error("the broker does not wait for a message on its way upstream")
		}
		close(talk.hold)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		all := link.all()
		if _, ok := all[len(all)-1].(broker.ComeBack); !ok || len(talk.allSent()) != 1 {
			t.Errorf("the last word was %v, want to come back", all[len(all)-1])
		}
		var id broker.MailboxID
		for m := range inbox.Mailboxes(t.Context()) {
			id = m.ID
		}
		if answers, err := inbox.Answers(t.Context(), id); len(answers) != 1 || err != nil {
			t.Errorf("answers = %v, %v, want the one to what was under way", answers, err)
		}
	})
}
