package sametime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/adapters/connectortest"
	"rollcall/adapters/sametime"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accounts are three people who know each other. Their user ids are of the form
// that directories have.
func accounts() []stserver.Account {
	names := []string{"alice", "bob", "carol"}
	var all []stserver.Account
	for _, name := range names {
		g := wire.ContactGroup{ID: "Work", Kind: wire.GroupPrivate, Title: "Work Mates", Open: true}
		for _, other := range names {
			if other != name {
				g.Users = append(g.Users, wire.ContactUser{ID: userID(other), Kind: wire.UserInternal, Name: display(other)})
			}
		}
		all = append(all, stserver.Account{
			Name: name, Password: name + "-secret", UserID: userID(name), Display: display(name),
			Contacts: wire.ContactList{Groups: []wire.ContactGroup{g}},
		})
	}
	return all
}

func display(name string) string { return strings.ToUpper(name[:1]) + name[1:] + " Smith" }
func userID(name string) string  { return "CN=" + display(name) + "/O=Acme" }

func people() []connectortest.Person {
	var all []connectortest.Person
	for _, a := range accounts() {
		all = append(all, connectortest.Person{Account: a.Name, Password: a.Password, Address: a.UserID, Name: a.Display})
	}
	return all
}

// double is a server that can go away and come back. It is served by a goroutine
// that stays, so that a case in which it comes back leaves no new one behind.
type double struct {
	*stserver.Server
	address string
	serve   chan func() error
	served  chan error
}

func newDouble(t testing.TB) *double {
	d := &double{address: "127.0.0.1:0", serve: make(chan func() error), served: make(chan error)}
	go func() {
		for serve := range d.serve {
			d.served <- serve()
		}
	}()
	t.Cleanup(func() { close(d.serve) })
	return d
}

func (d *double) start(t testing.TB, config stserver.Config) {
	t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	server := stserver.New(config)
	d.address, d.Server = l.Addr().String(), server
	d.serve <- func() error { return server.Serve(l) }
}

func (d *double) stop(t testing.TB) {
	t.Helper()
	d.Close()
	if err := <-d.served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func start(t testing.TB, config stserver.Config) *double {
	t.Helper()
	if config.Accounts == nil {
		config.Accounts = accounts()
	}
	d := newDouble(t)
	d.start(t, config)
	t.Cleanup(func() { d.stop(t) })
	return d
}

func (d *double) settings(options ...string) domain.Settings {
	s := domain.Settings{Kind: domain.KindSametime, Address: d.address, Options: map[string]string{}}
	for i := 0; i < len(options); i += 2 {
		s.Options[options[i]] = options[i+1]
	}
	return s
}

func connector() *sametime.Connector { return sametime.New(slog.New(slog.DiscardHandler)) }

func TestContract(t *testing.T) {
	d := newDouble(t)
	config := stserver.Config{Accounts: accounts()}
	d.start(t, config)
	t.Cleanup(func() { d.stop(t) })
	connectortest.Run(t, connectortest.Harness{
		Connector: connector(),
		Settings:  d.settings(),
		People:    people(),
		Claims: connectortest.Network | connectortest.Roster | connectortest.Presence | connectortest.PresenceText |
			connectortest.Typing | connectortest.Restart | connectortest.RefusesUnknown | connectortest.Limit,
		Refused: refusedSettings(),
		Type:    d.typing(),
		Stop:    func(t *testing.T) { d.stop(t) },
		Start:   func(t *testing.T) { d.start(t, config) },
		Fill: func(t *testing.T) func() {
			c := dialClient(t, d.address, "carol", "carol-secret")
			d.SetMaxSessions(1)
			return func() {
				d.SetMaxSessions(0)
				c.logout()
			}
		},
	})
}

// typing types from a client of its own.
func (d *double) typing() func(*testing.T, connectortest.Person, connectortest.Person, bool) {
	return func(t *testing.T, from, to connectortest.Person, typing bool) {
		c := dialClient(t, d.address, from.Account, from.Password)
		_, talk := c.call(to.Address, wire.EncryptOffer{})
		sub := wire.TypingEnds
		if typing {
			sub = wire.TypingBegins
		}
		talk.say(&wire.InstantMessage{Form: wire.FormData, Data: wire.DataTyping, Sub: sub})
		c.logout()
	}
}

func refusedSettings() map[string]domain.Settings {
	with := func(address string, options ...string) domain.Settings {
		s := domain.Settings{Kind: domain.KindSametime, Address: address, Options: map[string]string{}}
		for i := 0; i < len(options); i += 2 {
			s.Options[options[i]] = options[i+1]
		}
		return s
	}
	const there = "sametime.example.org:1533"
	return map[string]domain.Settings{
		"address":        with("sametime.example.org"),
		"colour":         with(there, "colour", "blue"),
		"tls":            with(there, "tls", "starttls"),
		"ca-file":        with(there, "ca-file", "/nonexistent/ca.pem"),
		"pin-sha256":     with(there, "pin-sha256", "AAAA"),
		"login":          with(there, "login", "plain"),
		"clear-password": with(there, "clear-password", "yes"),
		"im-encryption":  with(there, "im-encryption", "aes"),
		"redirect":       with(there, "redirect", "sometimes"),
		"conferences":    with(there, "conferences", "yes"),
		"client-type":    with(there, "client-type", "0x17000"),
		"client-version": with(there, "client-version", "30"),
	}
}

// sink keeps what it is given.
type sink struct {
	mu      sync.Mutex
	events  []broker.UpstreamEvent
	changed chan struct{}
}

func newSink() *sink { return &sink{changed: make(chan struct{})} }

// Deliver implements [broker.Sink].
func (s *sink) Deliver(_ uint64, e broker.UpstreamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sink) all() []broker.UpstreamEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// eventually waits for an event of a kind that is wanted.
func eventually[E broker.UpstreamEvent](t testing.TB, s *sink, what string, wanted func(E) bool) E {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		for _, e := range s.events {
			if e, is := e.(E); is && wanted(e) {
				s.mu.Unlock()
				return e
			}
		}
		changed, events := s.changed, s.events
		s.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited for %s; got %+v", what, events)
		}
	}
}

func hears(t testing.TB, s *sink, from, body string) {
	t.Helper()
	eventually(t, s, fmt.Sprintf("%q from %s", body, from), func(m broker.MessageReceived) bool { return m.From == from && m.Body == body })
}

func sees(t testing.TB, s *sink, contact string, show broker.Show) {
	t.Helper()
	eventually(t, s, fmt.Sprintf("%s %v", contact, show), func(p broker.PresenceChanged) bool { return p.Contact == contact && p.Show == show })
}

func login(t testing.TB, settings domain.Settings, name string, s broker.Sink) (broker.Conversation, error) {
	t.Helper()
	return loginWith(t, connector(), settings, name, s)
}

func loginWith(t testing.TB, c *sametime.Connector, settings domain.Settings, name string, s broker.Sink) (broker.Conversation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conv, err := c.Login(ctx, broker.UpstreamLogin{Session: 1, Settings: settings, Account: name, Password: name + "-secret"}, s)
	if err == nil {
		t.Cleanup(func() { _ = conv.Logout(context.Background()) }) // the test may have broken the connection
	}
	return conv, err
}

func mustLogin(t testing.TB, settings domain.Settings, name string, s broker.Sink) broker.Conversation {
	t.Helper()
	conv, err := login(t, settings, name, s)
	if err != nil {
		t.Fatalf("Login(%s) = %v", name, err)
	}
	return conv
}

func code(err error) domain.RejectCode {
	var e *broker.UpstreamError
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code
}

func send(t testing.TB, conv broker.Conversation, to, body string) {
	t.Helper()
	if err := conv.Send(t.Context(), broker.OutgoingMessage{ID: "m", To: to, Body: body}); err != nil {
		t.Fatalf("Send(%s) = %v", to, err)
	}
}
