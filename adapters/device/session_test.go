package device_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// seen collects what a handler was told.
type seen struct {
	mu       sync.Mutex
	items    []any
	states   []any
	sent     []broker.Sent
	covered  []bool
	failures []error
}

func (s *seen) handler() device.Handler {
	return device.Handler{
		Item: func(i broker.Item) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.items = append(s.items, i.Body)
			return nil
		},
		State: func(n broker.State) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.states = append(s.states, n.Body)
			return nil
		},
		Sent: func(m broker.Sent) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent = append(s.sent, m)
		},
		Coverage: func(covered bool, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.covered = append(s.covered, covered)
			if err != nil {
				s.failures = append(s.failures, err)
			}
		},
	}
}

// background runs a session and gives what Run gave, once it has.
func background(s *device.Session, h device.Handler) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Run(context.Background(), h) }()
	return done
}

var everyState = []any{
	broker.RosterReceived{Contacts: []broker.Contact{{Address: "bob@example.org", Name: "Bob", Groups: []string{"Friends", "Work"}}, {Address: "c"}}},
	broker.PresenceChanged{Contact: "bob@example.org", Show: broker.ShowAway, Text: "at lunch"},
	broker.TypingChanged{Contact: "bob@example.org", Typing: true},
	broker.RosterChanged{Contact: broker.Contact{Address: "d"}, Removed: true},
}

var everyItem = []any{
	broker.MessageReceived{ID: "m-1", From: "bob@example.org", Body: "how are you?", Sent: time.UnixMilli(1_700_000_000_123).UTC()},
	broker.MessageReceived{From: "bob@example.org", Body: "…"},
	broker.Dropped{Count: 1},
}

func TestItemsReachTheHandlerAndAreAcknowledged(t *testing.T) {
	h := newHouse(t)
	s, at := h.login()
	var got seen
	done := background(s, got.handler())
	for _, body := range everyItem {
		at.deliver(body)
	}
	eventually(t, "all items acknowledged", func() bool {
		at.mu.Lock()
		defer at.mu.Unlock()
		return len(at.unacked) == 0
	})
	s.Logout()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	if diff := cmp.Diff(everyItem, got.items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestSendsPresenceAndStatusReachTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		s, at := h.login()
		var got seen
		done := background(s, got.handler())
		if err := s.SetPresence(broker.OwnPresence{Show: broker.ShowBusy, Text: "writing"}); err != nil {
			t.Fatal(err)
		}
		good, err := s.Send("bob", "hello")
		if err != nil {
			t.Fatal(err)
		}
		bad, err := s.Send("nobody", "hello?")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]broker.Sent{{ID: good}, {ID: bad, Error: "no such recipient"}}, got.sent); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]broker.OwnPresence{{Show: broker.ShowBusy, Text: "writing"}}, at.presence); diff != "" {
			t.Errorf("presence (-want +got):\n%s", diff)
		}
		if at.statuses != 3 {
			t.Errorf("%d statuses in three intervals", at.statuses)
		}
		s.Logout()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestPaceIsTakenUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		s, at := h.login()
		done := background(s, device.Handler{})
		at.pace(10 * time.Second)
		synctest.Wait()
		if got := at.reports(); got != 1 {
			t.Errorf("%d statuses at once, want 1", got)
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if got := at.reports(); got != 4 {
			t.Errorf("%d statuses after three more intervals, want 4", got)
		}
		s.Logout()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

// TestLogoutWaitsForAnswers, and not for long. It says whether all are there.
func TestLogoutWaitsForAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		late     time.Duration // the answers
		answered int
		at       time.Duration // the logout
	}{
		"soon":     {late: time.Second, answered: 2, at: time.Second},
		"too late": {late: time.Minute, answered: 0, at: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.broker.late = c.late
				said := make(chan broker.Logout, 1)
				h.broker.received = func(m broker.FromDevice) {
					if m, is := m.(broker.Logout); is {
						said <- m
					}
				}
				s, _ := h.login()
				var got seen
				done := background(s, got.handler())
				for _, body := range []string{"one", "two"} {
					if _, err := s.Send("bob", body); err != nil {
						t.Fatal(err)
					}
				}
				s.Logout()
				began := time.Now()
				if err := <-done; err != nil || time.Since(began) != c.at {
					t.Errorf("Run = %v after %v, want the end after %v", err, time.Since(began), c.at)
				}
				if len(got.sent) != c.answered {
					t.Errorf("%d answers, want %d", len(got.sent), c.answered)
				}
				if m, want := <-said, c.answered == 2; m.Answered != want {
					t.Errorf("the logout says that all is answered: %v, want %v", m.Answered, want)
				}
				time.Sleep(2 * c.late)
			})
		})
	}
}

// TestLogoutOvertakesWhatHoldsTheServerUp has a server that is held up at each
// message for as long as upstream takes.
func TestLogoutOvertakesWhatHoldsTheServerUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		const messages = 200
		h.broker.received = func(m broker.FromDevice) {
			if _, is := m.(broker.Send); is {
				time.Sleep(10 * time.Second)
			}
		}
		s, _ := h.login()
		var got seen
		done := background(s, got.handler())
		for range messages {
			if _, err := s.Send("bob", "x"); err != nil {
				t.Fatal(err)
			}
		}
		s.Logout()
		began := time.Now()
		if err := <-done; err != nil || time.Since(began) > 5*time.Second {
			t.Errorf("Run = %v after %v, want the end within 5 s", err, time.Since(began))
		}
		if got := s.Unanswered(); got != messages {
			t.Errorf("%d messages are unanswered, want %d", got, messages)
		}
		if len(got.failures) > 0 {
			t.Errorf("the person was told of %v", got.failures)
		}
		time.Sleep(time.Minute)
	})
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		notice broker.Notice
		want   device.EndedError
	}{
		{"idled out", broker.Notice{IdledOut: true, Text: "room was needed"}, device.EndedError{IdledOut: true, Text: "room was needed"}},
		{"operator", broker.Notice{Cause: domain.EndedByOperator}, device.EndedError{Cause: domain.EndedByOperator}},
		{"a cause of a newer version", broker.Notice{Cause: 77}, device.EndedError{Cause: 77}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			s, at := h.login()
			done := background(s, device.Handler{})
			at.end(c.notice)
			var ended *device.EndedError
			if err := <-done; !errors.As(err, &ended) {
				t.Fatalf("Run = %v, want an EndedError", err)
			}
			c.want.Session = s.ID()
			if diff := cmp.Diff(c.want, *ended); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandlerErrorLeavesTheItemUnacknowledged(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	s, err := h.client(i).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatal(err)
	}
	go h.broker.session(s.ID()).deliver(broker.MessageReceived{From: "bob"})
	full := errors.New("disk full")
	err = s.Run(t.Context(), device.Handler{Item: func(broker.Item) error { return full }})
	if !errors.Is(err, full) {
		t.Fatalf("Run = %v, want the handler's error", err)
	}
	again, err := h.client(i).Resume("chat")
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	done := background(again, got.handler())
	eventually(t, "the item comes again", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.items) == 1 })
	again.Logout()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// cutConn breaks at the operation at which the budget is used up: before it, in
// its middle, or after it.
type cutConn struct {
	net.Conn
	house *cutter
}

type cutter struct {
	mu     sync.Mutex
	budget int
	part   int // of 2: how much of the last write gets through
}

func (c *cutter) spend() (cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.budget--
	return c.budget == 0
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.house.spend() {
		c.Conn.Close()
		return n * c.house.part / 2, errors.New("cut while reading")
	}
	return n, err
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.house.spend() {
		n, _ := c.Conn.Write(b[:len(b)*c.house.part/2])
		c.Conn.Close()
		return n, errors.New("cut while writing")
	}
	return c.Conn.Write(b)
}

func TestLinkLostAtEveryMessage(t *testing.T) {
	for part := range 3 {
		for at := 1; at < 30; at += 1 + at/12 {
			t.Run(fmt.Sprintf("%d of 2 of operation %d", part, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { cutAt(t, &cutter{budget: at, part: part}) })
			})
		}
	}
}

func cutAt(t *testing.T, c *cutter) {
	h := newHouse(t)
	s, at := h.login() // not cut: an unanswered login is the person's to repeat
	h.wrap = func(conn net.Conn) net.Conn { return &cutConn{conn, c} }
	s.Unlink() // so that the session is taken up over a link that is cut
	var got seen
	done := background(s, got.handler())
	var want []any
	for i := range 4 {
		body := broker.MessageReceived{From: "bob", Body: fmt.Sprint("to alice ", i)}
		want = append(want, body)
		at.deliver(body)
		if _, err := s.Send("bob", fmt.Sprint("to bob ", i)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * time.Second)
	}
	time.Sleep(10 * time.Minute)
	s.Logout()
	if err := <-done; err != nil {
		t.Fatalf("Run = %v", err)
	}
	if diff := cmp.Diff(want, got.items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"to bob 0", "to bob 1", "to bob 2", "to bob 3"}, at.upstream); diff != "" {
		t.Errorf("upstream (-want +got):\n%s", diff)
	}
	if len(got.sent) != 4 {
		t.Errorf("%d answers to 4 messages: %v", len(got.sent), got.sent)
	}
}

func TestBackOffGrowsAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		i := h.join()
		o := h.options()
		o.GiveUp = 10 * time.Minute
		s, err := device.NewClient(i, o).Login(t.Context(), "chat", "alice", "correct")
		if err != nil {
			t.Fatal(err)
		}
		h.down = errors.New("no network")
		s.Unlink()
		began := time.Now()
		var got seen
		var none *device.NoCoverageError
		if err := s.Run(t.Context(), got.handler()); !errors.As(err, &none) || !errors.Is(err, h.down) {
			t.Fatalf("Run = %v, want a NoCoverageError for %v", err, h.down)
		}
		if spent := time.Since(began); spent != o.GiveUp || none.For.Round(time.Minute) != o.GiveUp {
			t.Errorf("gave up after %v, and says %v, want %v", spent, none.For, o.GiveUp)
		}
		if want := "no coverage for 10m0s: no network"; none.Error() != want {
			t.Errorf("the error is %q, want %q", none, want)
		}
		if n := len(got.failures); n < 10 || n > 30 {
			t.Errorf("%d attempts in 10 minutes", n)
		}
		if len(i.Sessions()) != 1 {
			t.Error("the session was forgotten; it may be resumed still")
		}
	})
}

// TestRetryHintsAreNeverUndercut: whatever says when to come back, the device does
// not come earlier, and not much later.
func TestRetryHintsAreNeverUndercut(t *testing.T) {
	for _, c := range []struct {
		name string
		hint func(*house, *fakeSession)
		from time.Duration
	}{
		{"the session cannot go on now", func(h *house, _ *fakeSession) { h.broker.busy = 20 * time.Second }, 20 * time.Second},
		{"the server is stopping, and says for how long", func(h *house, at *fakeSession) {
			h.broker.stopping = true
			at.comeBack(12 * time.Second)
		}, 12 * time.Second},
		{"the server is stopping", func(h *house, _ *fakeSession) { h.broker.stopping = true }, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				other, at := h.login()
				ended := background(other, device.Handler{})
				s, err := h.client(h.join()).Login(t.Context(), "chat", "alice", "correct")
				if err != nil {
					t.Fatal(err)
				}
				c.hint(h, at)
				synctest.Wait()
				s.Unlink()
				var asked, back time.Time
				err = s.Run(t.Context(), device.Handler{Coverage: func(covered bool, _ error) {
					if !covered {
						asked = time.Now()
						h.broker.open()
						return
					}
					back = time.Now()
					s.Logout()
				}})
				if waited := back.Sub(asked); err != nil || waited < c.from || waited > c.from*9/8+time.Second {
					t.Errorf("Run = %v, back after %v, want %v and a little", err, waited, c.from)
				}
				other.Logout()
				if err := <-ended; err != nil {
					t.Errorf("the other device's Run = %v", err)
				}
			})
		})
	}
}

func TestUnansweredMessagesSurviveTheProcess(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	s, err := h.client(i).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatal(err)
	}
	at := h.broker.session(s.ID())
	if _, err := s.Send("bob", "before the crash"); err != nil {
		t.Fatal(err)
	}
	s.Unlink()
	path := i.Path()
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i, err = device.OpenIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	again, err := h.client(i).Resume("chat")
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	done := background(again, got.handler())
	eventually(t, "the answer", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.sent) == 1 })
	again.Logout()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	if diff := cmp.Diff([]string{"before the crash"}, at.upstream); diff != "" {
		t.Errorf("upstream (-want +got):\n%s", diff)
	}
}

func TestSendRefusesWhatTheLinkCannotCarry(t *testing.T) {
	h := newHouse(t)
	s, _ := h.login()
	defer s.Unlink()
	for name, m := range map[string]broker.Send{
		"no recipient":   {ID: "1", Body: "x"},
		"no id":          {To: "bob"},
		"a body too big": {ID: "1", To: "bob", Body: string(make([]byte, device.MaxBody+1))},
	} {
		if err := s.SendAs(m); !errors.Is(err, device.ErrMessage) && !errors.Is(err, device.ErrTooLong) {
			t.Errorf("%s: SendAs = %v", name, err)
		}
	}
	if err := s.SetPresence(broker.OwnPresence{}); !errors.Is(err, device.ErrMessage) {
		t.Errorf("SetPresence of nothing = %v", err)
	}
}

func TestUseIsToldAtOnceAndThenSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.broker.interval = 10 * time.Minute
		s, at := h.login()
		done := background(s, device.Handler{})
		uses := func() int {
			synctest.Wait()
			at.mu.Lock()
			defer at.mu.Unlock()
			return at.inUse
		}
		s.Use()
		if n := uses(); n != 1 {
			t.Errorf("told %d times at the first touch, want 1", n)
		}
		for range 100 { // ten minutes, a touch each six seconds
			time.Sleep(6 * time.Second)
			s.Use()
		}
		if n := uses(); n < 8 || n > 11 {
			t.Errorf("told %d times in ten minutes, want about 9", n)
		}
		was := uses()
		time.Sleep(20 * time.Minute)
		if n := uses(); n > was+1 {
			t.Errorf("told %d times while nobody used it", n-was)
		}
		if _, err := s.Send("bob", "hi"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		was = uses()
		s.Use()
		if n := uses(); n != was {
			t.Error("told again after a message had told it")
		}
		s.Logout()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}
