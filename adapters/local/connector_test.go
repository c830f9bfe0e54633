package local_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rollcall/adapters/connectortest"
	"rollcall/adapters/local"
	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var names = []string{"alice", "bob", "carol", "dave"}

// openStore gives a store with the accounts of names, cheap to log in to.
func openStore(t testing.TB) (*local.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.json")
	store, err := local.OpenStore(path, local.CheapCost)
	if err != nil {
		t.Fatal(err)
	}
	var accounts []local.NewAccount
	for _, name := range names {
		accounts = append(accounts, local.NewAccount{Name: name, Display: display(name), Password: password(name)})
	}
	if err := store.Add(accounts...); err != nil {
		t.Fatal(err)
	}
	return store, path
}

func display(name string) string  { return "The " + name }
func password(name string) string { return "pw of " + name }

func newConnector(t testing.TB) (*local.Connector, *local.Store, string) {
	t.Helper()
	store, path := openStore(t)
	return local.New(store, slog.New(slog.DiscardHandler)), store, path
}

var settings = domain.Settings{Kind: domain.KindLocal}

func TestSuite(t *testing.T) {
	c, _, _ := newConnector(t)
	h := connectortest.Harness{
		Connector: c,
		Settings:  settings,
		Claims: connectortest.Roster | connectortest.Presence | connectortest.PresenceText | connectortest.Restart |
			connectortest.SharedAccounts | connectortest.RefusesUnknown | connectortest.Receipts,
		Refused: map[string]domain.Settings{
			"kind":    {Kind: domain.KindXMPP},
			"address": {Kind: domain.KindLocal, Address: "im.example.org:5222"},
			"tls":     {Kind: domain.KindLocal, Options: map[string]string{"tls": "always"}},
			"roster":  {Kind: domain.KindLocal, Options: map[string]string{"roster": "friends"}},
		},
		Stop:  func(*testing.T) { c.Interrupt() },
		Start: func(*testing.T) { c.Restore() },
	}
	for _, name := range names {
		h.People = append(h.People, connectortest.Person{Account: name, Password: password(name), Name: display(name)})
	}
	connectortest.Run(t, h)
}

// sink keeps what it is given, and acknowledges it; while held it does not return.
type sink struct {
	mu     sync.Mutex
	events []broker.UpstreamEvent
	hold   chan struct{}
	conv   broker.Conversation
}

func (s *sink) Deliver(seq uint64, e broker.UpstreamEvent) {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	if s.conv != nil {
		s.conv.Acknowledge(seq)
	}
}

func (s *sink) join(v broker.Conversation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conv = v
}

// take gives what has come since the last call.
func (s *sink) take() []broker.UpstreamEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}

func login(t testing.TB, c *local.Connector, name string, s broker.Sink) broker.Conversation {
	t.Helper()
	v, err := c.Login(t.Context(), broker.UpstreamLogin{Settings: settings, Account: name, Password: password(name)}, s)
	if err != nil {
		t.Fatalf("Login(%s) = %v, want a conversation", name, err)
	}
	if s, ok := s.(*sink); ok {
		s.join(v)
	}
	t.Cleanup(func() {
		if err := v.Logout(context.Background()); err != nil {
			t.Errorf("Logout(%s) = %v, want no error", name, err)
		}
	})
	return v
}

func want(t *testing.T, s *sink, events ...broker.UpstreamEvent) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(events, s.take()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestChangesOfTheFileReachTheSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, path := newConnector(t)
		elsewhere, err := local.OpenStore(path, local.CheapCost) // another process
		if err != nil {
			t.Fatal(err)
		}
		var alice, bob sink
		login(t, c, "alice", &alice)
		login(t, c, "bob", &bob)
		synctest.Wait()
		alice.take()
		bob.take()

		if err := elsewhere.Add(local.NewAccount{Name: "erin", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		erin := broker.Contact{Address: "erin", Name: "erin"}
		want(t, &alice, broker.RosterChanged{Contact: erin})

		if err := errors.Join(elsewhere.Remove("erin"), elsewhere.SetPassword("alice", "another")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		want(t, &alice, broker.RosterChanged{Contact: erin, Removed: true})

		if err := elsewhere.Remove("bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		want(t, &alice, broker.RosterChanged{Contact: broker.Contact{Address: "bob", Name: display("bob")}, Removed: true})
		events := bob.take()
		if _, closed := events[len(events)-1].(broker.Closed); !closed {
			t.Errorf("the last event of a removed account = %+v, want Closed", events[len(events)-1])
		}
	})
}

func TestDamagedFileKeepsSessionsAndRefusesLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, path := newConnector(t)
		var alice, bob sink
		a := login(t, c, "alice", &alice)
		login(t, c, "bob", &bob)
		if err := os.WriteFile(path, []byte(`{"format": 1, "accounts": [{"nam`), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := a.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: "bob", Body: "still here"}); err != nil {
			t.Errorf("Send with a damaged file = %v, want no error", err)
		}
		_, err := c.Login(t.Context(), broker.UpstreamLogin{Settings: settings, Account: "carol", Password: password("carol")}, &sink{})
		var refusal *broker.UpstreamError
		var fault *local.FileError
		if !errors.As(err, &refusal) || refusal.Code != domain.RejectUpstreamRefused || !errors.As(err, &fault) {
			t.Errorf("Login with a damaged file = %v, want upstream-refused because of a *FileError", err)
		}
	})
}

func TestPresenceIsWhatWasSetLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := newConnector(t)
		var alice sink
		login(t, c, "alice", &alice)
		synctest.Wait()
		alice.take()
		phone, desk := login(t, c, "bob", &sink{}), login(t, c, "bob", &sink{})
		set := func(v broker.Conversation, show broker.Show) {
			if err := v.SetPresence(t.Context(), broker.OwnPresence{Show: show}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		synctest.Wait()
		set(phone, broker.ShowAway)
		set(desk, broker.ShowBusy)
		for _, v := range []broker.Conversation{desk, phone} {
			if err := v.Logout(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		var shows []broker.UpstreamEvent
		for _, show := range []broker.Show{broker.ShowAvailable, broker.ShowAway, broker.ShowBusy, broker.ShowAway, broker.ShowOffline} {
			shows = append(shows, broker.PresenceChanged{Contact: "bob", Show: show})
		}
		want(t, &alice, shows...)
	})
}

// TestSessionsThatFloodEachOther has two sessions send to each other while neither
// takes anything: what does not fit is refused, the rest waits, and nothing that was
// taken is lost.
func TestSessionsThatFloodEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := newConnector(t)
		hold := make(chan struct{})
		var alice, bob sink
		a, b := login(t, c, "alice", &alice), login(t, c, "bob", &bob)
		synctest.Wait()
		alice.take()
		bob.take()
		alice.hold, bob.hold = hold, hold
		const each = 1500
		outcomes := map[string]chan error{"alice": make(chan error, each), "bob": make(chan error, each)}
		for to, from := range map[string]broker.Conversation{"bob": a, "alice": b} {
			for i := range each {
				go func() {
					outcomes[to] <- from.Send(t.Context(), broker.OutgoingMessage{ID: fmt.Sprint(i), To: to, Body: "x"})
				}()
			}
		}
		synctest.Wait()
		close(hold)
		synctest.Wait()
		for to, s := range map[string]*sink{"alice": &alice, "bob": &bob} {
			taken := 0
			for range each {
				err := <-outcomes[to]
				var refused *broker.SendError
				if err == nil {
					taken++
				} else if !errors.As(err, &refused) {
					t.Fatal(err)
				}
			}
			if got := len(s.take()); taken < 1000 || taken == each || got != taken {
				t.Errorf("%d messages to %s were taken and %d delivered, want the same, 1000 or more, and some refused", taken, to, got)
			}
		}
	})
}

// TestSendWaitsForEverySession has one of two sessions leave with the message.
func TestSendWaitsForEverySession(t *testing.T) {
	for _, tt := range []struct {
		name  string
		leave []int // of the recipient's sessions, whose sinks give way to it
		safe  bool
	}{
		{"both have it", nil, true},
		{"one leaves", []int{0}, true},
		{"both leave", []int{0, 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _, _ := newConnector(t)
				sinks := []*sink{{}, {}}
				a := login(t, c, "alice", &sink{})
				sessions := []broker.Conversation{login(t, c, "bob", sinks[0]), login(t, c, "bob", sinks[1])}
				synctest.Wait()
				hold := make(chan struct{})
				for _, s := range sinks {
					s.hold = hold
				}
				outcome := make(chan error, 1)
				go func() { outcome <- a.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: "bob", Body: "x"}) }()
				synctest.Wait()
				for _, i := range tt.leave {
					sinks[i].join(nil) // its broker no longer takes anything
					go sessions[i].Logout(t.Context())
				}
				synctest.Wait()
				if len(outcome) > 0 {
					t.Fatal("Send returned before any session had the message")
				}
				close(hold)
				var refused *broker.SendError
				if err := <-outcome; tt.safe && err != nil || !tt.safe && !errors.As(err, &refused) {
					t.Errorf("Send = %v, want safe = %v", err, tt.safe)
				}
			})
		})
	}
}

// TestNewsReplacesOlderNews floods a blocked session with presence.
func TestNewsReplacesOlderNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := newConnector(t)
		var alice sink
		login(t, c, "alice", &alice)
		b := login(t, c, "bob", &sink{})
		synctest.Wait()
		alice.take()
		hold := make(chan struct{})
		alice.hold = hold
		for i := range 10_000 {
			p := broker.OwnPresence{Show: broker.ShowAway, Text: fmt.Sprint(i)}
			if err := b.SetPresence(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		close(hold)
		synctest.Wait()
		events := alice.take()
		last := broker.PresenceChanged{Contact: "bob", Show: broker.ShowAway, Text: "9999"}
		if len(events) > 2 || events[len(events)-1] != last {
			t.Errorf("%d events of 10,000 were delivered, the last one %+v; want at most 2 and %+v", len(events), events[len(events)-1], last)
		}
	})
}

// TestAnothersPasswordOpensNothing tries names that no account has with the
// passwords of all that there are.
func TestAnothersPasswordOpensNothing(t *testing.T) {
	c, _, _ := newConnector(t)
	for i := range 20 {
		for _, name := range names {
			l := broker.UpstreamLogin{Settings: settings, Account: fmt.Sprint("nobody-", i), Password: password(name)}
			_, err := c.Login(t.Context(), l, &sink{})
			var refusal *broker.UpstreamError
			if !errors.As(err, &refusal) || refusal.Code != domain.RejectBadCredentials {
				t.Fatalf("Login(%s, with the password of %s) = %v, want bad-credentials", l.Account, name, err)
			}
		}
	}
}

func TestLogoutGivesUpOnABlockedSinkWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := newConnector(t)
		hold := make(chan struct{})
		v := login(t, c, "alice", &sink{hold: hold})
		synctest.Wait() // until the sink blocks
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := v.Logout(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Logout while the sink blocks = %v, want the end of its context", err)
		}
		close(hold)
	})
}

func TestSendRefuses(t *testing.T) {
	c, _, _ := newConnector(t)
	v := login(t, c, "alice", &sink{})
	login(t, c, "bob", &sink{})
	for name, m := range map[string]broker.OutgoingMessage{
		"a body that is too long": {To: "bob", Body: string(make([]byte, 60*1024+1))},
		"a body that is no text":  {To: "bob", Body: "\xff"},
		"nobody":                  {To: "", Body: "x"},
	} {
		var refused *broker.SendError
		if err := v.Send(t.Context(), m); !errors.As(err, &refused) {
			t.Errorf("Send(%s) = %v, want a *SendError", name, err)
		}
	}
	var refused *broker.SendError
	if err := v.SetPresence(t.Context(), broker.OwnPresence{Show: 99}); !errors.As(err, &refused) {
		t.Errorf("SetPresence(99) = %v, want a *SendError", err)
	}
}

func TestRosterOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, store, _ := newConnector(t)
		var s sink
		quiet := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}}
		v, err := c.Login(t.Context(), broker.UpstreamLogin{Settings: quiet, Account: "alice", Password: password("alice")}, &s)
		if err != nil {
			t.Fatal(err)
		}
		s.join(v)
		if err := store.Remove("carol"); err != nil {
			t.Fatal(err)
		}
		b := login(t, c, "bob", &sink{})
		if err := b.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: "alice", Body: "hello"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		events := s.take()
		quietly := slices.ContainsFunc(events, func(e broker.UpstreamEvent) bool {
			_, roster := e.(broker.RosterReceived)
			_, message := e.(broker.MessageReceived)
			return !roster && !message
		})
		if len(events) != 2 || quietly {
			t.Errorf("events = %+v, want an empty roster and a message", events)
		}
		if err := v.Logout(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
