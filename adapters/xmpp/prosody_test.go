package xmpp_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/adapters/connectortest"
	"rollcall/adapters/xmpp"
	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
	"rollcall/domain/broker"
)

func people(users []xmpptest.User) []connectortest.Person {
	var people []connectortest.Person
	for _, u := range users {
		people = append(people, connectortest.Person{Account: u.Address(), Password: u.Password, Name: u.Name})
	}
	return people
}

func TestContractWithProsody(t *testing.T) {
	users := xmpptest.Users("alice", "bob", "carol")
	server := xmpptest.StartProsody(t, users)
	connectortest.Run(t, connectortest.Harness{
		Connector: acking{xmpp.New()},
		Settings:  server.Settings(),
		People:    people(users),
		Claims: connectortest.Network | connectortest.Roster | connectortest.Presence | connectortest.PresenceText |
			connectortest.Acknowledgement | connectortest.Restart | connectortest.SharedAccounts |
			connectortest.OfflineMessages | connectortest.RefusesUnknown | connectortest.Typing,
		Refused: refusedSettings(),
		Type:    typing(server),
		Stop:    func(t *testing.T) { server.Stop(t) },
		Start:   func(t *testing.T) { server.Start(t) },
	})
}

func typing(server *xmpptest.Prosody) func(*testing.T, connectortest.Person, connectortest.Person, bool) {
	return func(t *testing.T, from, to connectortest.Person, typing bool) {
		client := xmpptest.Dial(t, server, from.Account, from.Password)
		defer client.Close()
		state := map[bool]string{true: "composing", false: "paused"}[typing]
		client.Say(t, "<message type='chat' to='"+to.Account+"'><"+state+" xmlns='http://jabber.org/protocol/chatstates'/></message>")
	}
}

func login(t *testing.T, settings domain.Settings, u xmpptest.User, sink broker.Sink) (broker.Conversation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conv, err := xmpp.New().Login(ctx, broker.UpstreamLogin{Session: 1, Settings: settings, Account: u.Address(), Password: u.Password}, sink)
	if err == nil {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = conv.Logout(ctx) // the test may have broken the connection
		})
	}
	return conv, err
}

func code(err error) domain.RejectCode {
	var e *broker.UpstreamError
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code
}

// with gives the settings with more options, given as name and value in turn.
func with(s domain.Settings, options ...string) domain.Settings {
	s.Options = maps.Clone(s.Options)
	for i := 0; i < len(options); i += 2 {
		s.Options[options[i]] = options[i+1]
	}
	return s
}

func TestMechanismsWithProsody(t *testing.T) {
	const without = `disable_sasl_mechanisms = { "DIGEST-MD5"; `
	for name, option := range map[string]xmpptest.Option{
		"SCRAM-SHA-256-PLUS": xmpptest.TLS12,
		"SCRAM-SHA-256":      xmpptest.With(""),
		"SCRAM-SHA-1":        xmpptest.With(without + `"SCRAM-SHA-256" }`),
		"PLAIN":              xmpptest.With(without + `"SCRAM-SHA-256"; "SCRAM-SHA-1" }`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			users := xmpptest.Users("alice")
			server := xmpptest.StartProsody(t, users, option)
			if _, err := login(t, server.Settings(), users[0], newSink()); err != nil {
				t.Fatalf("Login = %v, want no error", err)
			}
			if log := server.Log(); !strings.Contains(log, "mechanism='"+name+"'") {
				t.Errorf("the server's log does not say that %s was used", name)
			}
			if name == "PLAIN" {
				_, err := login(t, with(server.Settings(), "plain", "never"), users[0], newSink())
				if code(err) != domain.RejectUpstreamRefused {
					t.Errorf("Login with plain=never = %v, want upstream-refused", err)
				}
			}
		})
	}
}

func TestCertificatesWithProsody(t *testing.T) {
	users := xmpptest.Users("alice")
	server := xmpptest.StartProsody(t, users)
	other := xmpptest.NewCertificate(t, xmpptest.Domain)
	pin := func(c xmpptest.Certificate) string {
		sum := sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	bare := domain.Settings{Kind: domain.KindXMPP, Address: server.Addr, Options: map[string]string{}}
	direct := with(server.Settings(), "tls", "direct")
	direct.Address = server.DirectTLS
	for _, c := range []struct {
		name     string
		settings domain.Settings
		want     domain.RejectCode // zero: accepted
	}{
		{"the right authority", server.Settings(), 0},
		{"direct TLS", direct, 0},
		{"the right pin alone", with(bare, "pin-sha256", pin(server.Certificate)), 0},
		{"the right pin and authority", with(server.Settings(), "pin-sha256", pin(server.Certificate)), 0},
		{"no authority", bare, domain.RejectUpstreamUnreachable},
		{"another authority", with(bare, "ca-file", other.CAFile), domain.RejectUpstreamUnreachable},
		{"another pin", with(server.Settings(), "pin-sha256", pin(other)), domain.RejectUpstreamUnreachable},
		{"the right pin and another authority", with(bare, "ca-file", other.CAFile, "pin-sha256", pin(server.Certificate)), domain.RejectUpstreamUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := login(t, c.settings, users[0], newSink()); code(err) != c.want || c.want == 0 && err != nil {
				t.Errorf("Login = %v, want the code %v", err, c.want)
			}
		})
	}
	t.Run("another domain", func(t *testing.T) {
		login := broker.UpstreamLogin{Settings: server.Settings(), Account: "alice@elsewhere.test", Password: "x"}
		if _, err := xmpp.New().Login(t.Context(), login, newSink()); err == nil {
			t.Error("Login with an account of a domain that the server does not serve succeeded")
		}
	})
}

func TestRosterPushAndVersionWithProsody(t *testing.T) {
	users := xmpptest.Users("alice", "bob")
	server := xmpptest.StartProsody(t, users)
	connector, s := xmpp.New(), newSink()
	in := broker.UpstreamLogin{Settings: server.Settings(), Account: "alice@xmpp.test", Password: users[0].Password}
	conv, err := connector.Login(t.Context(), in, s)
	if err != nil {
		t.Fatal(err)
	}
	other := xmpptest.Dial(t, server, "alice@xmpp.test", users[0].Password)
	defer other.Close()
	other.Say(t, "<iq type='set' id='push'><query xmlns='jabber:iq:roster'><item jid='dora@xmpp.test' name='Dora'><group>New</group></item></query></iq>")
	change := await(t, s, anyEvent[broker.RosterChanged])
	if change.Contact.Address != "dora@xmpp.test" || change.Contact.Name != "Dora" || change.Removed {
		t.Errorf("change = %+v, want dora added", change)
	}
	if err := conv.Logout(t.Context()); err != nil {
		t.Errorf("Logout = %v", err)
	}
	again := newSink()
	conv, err = connector.Login(t.Context(), in, again)
	if err != nil {
		t.Fatal(err)
	}
	if roster := await(t, again, anyEvent[broker.RosterReceived]); len(roster.Contacts) != 2 {
		t.Errorf("the remembered roster = %+v, want bob and dora", roster)
	}
	if err := conv.Logout(t.Context()); err != nil {
		t.Errorf("Logout = %v", err)
	}
}

func TestServerGoneWithProsody(t *testing.T) {
	users := xmpptest.Users("alice")
	server := xmpptest.StartProsody(t, users)
	s := newSink()
	if _, err := login(t, server.Settings(), users[0], s); err != nil {
		t.Fatal(err)
	}
	server.Settle(t)
	server.Stop(t)
	closed := await(t, s, anyEvent[broker.Closed])
	if code(closed.Err) != domain.RejectUpstreamUnreachable || !strings.Contains(closed.Err.Error(), "shutting down") {
		t.Errorf("Closed = %v, want upstream-unreachable that names the shutdown", closed.Err)
	}
}

// TestResumeWithProsody cuts the connection: the stream goes on, and what was
// said meanwhile arrives, once.
func TestResumeWithProsody(t *testing.T) {
	users := xmpptest.Users("alice", "bob")
	server := xmpptest.StartProsody(t, users)
	proxy := startProxy(t, server.Addr)
	settings := with(server.Settings(), "resume", "on")
	settings.Address = proxy.listener.Addr().String()
	s, bobs := newSink(), newSink()
	alice, err := login(t, settings, users[0], s)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := login(t, server.Settings(), users[1], bobs)
	if err != nil {
		t.Fatal(err)
	}
	await(t, bobs, func(p broker.PresenceChanged) bool { return p.Show == broker.ShowAvailable })
	for _, body := range []string{"before", "during", "after"} {
		if body == "during" {
			proxy.cut()
		}
		m := broker.OutgoingMessage{ID: body, To: users[0].Address(), Body: body}
		if err := bob.Send(t.Context(), m); err != nil {
			t.Fatalf("Send(%s) = %v", body, err)
		}
		await(t, s, func(m broker.MessageReceived) bool { return m.Body == body })
	}
	if err := alice.Send(t.Context(), broker.OutgoingMessage{ID: "m", To: users[1].Address(), Body: "still me"}); err != nil {
		t.Fatalf("Send after the resume = %v", err)
	}
	await(t, bobs, func(m broker.MessageReceived) bool { return m.Body == "still me" })
	events, _ := s.snapshot()
	count := 0
	for _, e := range events {
		if _, is := e.(broker.MessageReceived); is {
			count++
		}
	}
	if count != 3 {
		t.Errorf("got %d messages, want each of 3 once: %+v", count, events)
	}
	if !strings.Contains(server.Log(), "resum") {
		t.Error("the server's log does not speak of a resumption")
	}
}

// proxy passes connections on and can cut them.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, near, far)
			p.mu.Unlock()
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				running.Go(func() {
					_, _ = io.Copy(pair[0], pair[1]) // a cut is what the proxy is for
					pair[0].Close()
					pair[1].Close()
				})
			}
		}
	})
	t.Cleanup(func() { l.Close(); p.cut(); running.Wait() })
	return p
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}
