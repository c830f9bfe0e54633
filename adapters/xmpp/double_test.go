package xmpp_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"rollcall/adapters/connectortest"
	"rollcall/adapters/xmpp"
	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// double is the double of a server, at an address that stays.
type double struct {
	*xmpptest.Server
	config   xmpptest.ServerConfig
	address  string
	caFile   string
	listener net.Listener
	serve    chan func() // one goroutine for all: the suite looks for new ones
}

// startDouble starts a double whose users all know each other.
func startDouble(t *testing.T, encrypted bool, c xmpptest.ServerConfig) *double {
	t.Helper()
	d := &double{config: c, address: "127.0.0.1:0", serve: make(chan func())}
	go func() {
		for serve := range d.serve {
			serve()
		}
	}()
	d.config.Contacts = func(name string) (others []string) {
		for _, u := range c.Users {
			if u.Name != name {
				others = append(others, u.Name)
			}
		}
		return others
	}
	if encrypted {
		certificate := xmpptest.NewCertificate(t, xmpptest.Domain)
		pair, err := tls.LoadX509KeyPair(certificate.File, certificate.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		d.caFile, d.config.TLS = certificate.CAFile, &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	d.start(t)
	t.Cleanup(func() { d.stop(t); close(d.serve) })
	return d
}

func (d *double) start(t *testing.T) {
	t.Helper()
	var err error
	if d.listener, err = net.Listen("tcp", d.address); err != nil {
		t.Fatal(err)
	}
	d.Server, d.address = xmpptest.NewServer(d.config), d.listener.Addr().String()
	server, listener := d.Server, d.listener
	d.serve <- func() {
		if err := server.Serve(listener); err != nil {
			t.Errorf("Serve = %v", err)
		}
	}
}

func (d *double) stop(*testing.T) {
	d.listener.Close()
	d.Server.Close()
}

func (d *double) settings(options ...string) domain.Settings {
	return with(xmpptest.Settings(d.address, d.caFile), options...)
}

// TestContractWithDouble runs the suite that Prosody passes with the double: the
// double is as good as its passing.
func TestContractWithDouble(t *testing.T) {
	users := xmpptest.Users("alice", "bob", "carol")
	for name, c := range map[string]struct {
		encrypted bool
		config    xmpptest.ServerConfig
		options   []string
		claims    connectortest.Claim
	}{
		"in the clear":       {false, xmpptest.ServerConfig{Users: users}, nil, connectortest.Acknowledgement},
		"encrypted":          {true, xmpptest.ServerConfig{Users: users}, nil, connectortest.Acknowledgement},
		"without management": {false, xmpptest.ServerConfig{Users: users, NoManagement: true}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDouble(t, c.encrypted, c.config)
			connectortest.Run(t, connectortest.Harness{
				Connector: acking{xmpp.New()},
				Settings:  d.settings(c.options...),
				People:    people(users),
				Claims: c.claims | connectortest.Network | connectortest.Roster | connectortest.Presence | connectortest.PresenceText |
					connectortest.Restart | connectortest.SharedAccounts | connectortest.OfflineMessages | connectortest.RefusesUnknown,
				Stop:  d.stop,
				Start: d.start,
			})
		})
	}
}

// TestDoubleResumes cuts a connection while messages are on their way: each
// arrives once.
func TestDoubleResumes(t *testing.T) {
	users := xmpptest.Users("alice", "bob")
	d := startDouble(t, false, xmpptest.ServerConfig{Users: users})
	s, bobs := newSink(), newSink()
	if _, err := login(t, d.settings("resume", "on"), users[0], s); err != nil {
		t.Fatal(err)
	}
	bob, err := login(t, d.settings(), users[1], bobs)
	if err != nil {
		t.Fatal(err)
	}
	const messages = 20
	for i := range messages {
		if i%7 == 3 {
			d.Cut("alice")
		}
		if err := bob.Send(t.Context(), broker.OutgoingMessage{ID: fmt.Sprint(i), To: users[0].Address(), Body: fmt.Sprint(i)}); err != nil {
			t.Fatalf("Send(%d) = %v", i, err)
		}
	}
	await(t, s, func(m broker.MessageReceived) bool { return m.Body == fmt.Sprint(messages-1) })
	if n := d.Sessions(); n != 2 {
		t.Errorf("the server has %d sessions, want 2: one was not resumed", n)
	}
	var got []string
	events, _ := s.snapshot()
	for _, e := range events {
		if m, is := e.(broker.MessageReceived); is {
			got = append(got, m.Body)
		}
	}
	for i := range messages {
		if len(got) != messages || got[i] != fmt.Sprint(i) {
			t.Fatalf("messages = %v, want 0 to %d, each once", got, messages-1)
		}
	}
}

// TestDoubleKeepsWhatWasNotAcknowledged breaks a stream for good.
func TestDoubleKeepsWhatWasNotAcknowledged(t *testing.T) {
	users := xmpptest.Users("alice", "bob")
	d := startDouble(t, false, xmpptest.ServerConfig{Users: users, Hibernation: time.Millisecond})
	s := newSink()
	if _, err := login(t, d.settings(), users[0], s); err != nil {
		t.Fatal(err)
	}
	bob, err := login(t, d.settings(), users[1], newSink())
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: users[0].Address(), Body: "unread"}); err != nil {
		t.Fatal(err)
	}
	await(t, s, func(m broker.MessageReceived) bool { return m.Body == "unread" })
	d.Cut("alice")
	await(t, s, anyEvent[broker.Closed])
	again := newSink()
	if _, err := login(t, d.settings(), users[0], again); err != nil {
		t.Fatal(err)
	}
	if m := await(t, again, anyEvent[broker.MessageReceived]); m.Body != "unread" || m.Sent.IsZero() {
		t.Errorf("after the next login there is %+v, want the message that was not acknowledged, and when it was sent", m)
	}
}

// TestDoubleMechanisms logs in by each mechanism, and with a wrong password.
func TestDoubleMechanisms(t *testing.T) {
	users := xmpptest.Users("alice")
	for _, name := range []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"} {
		t.Run(name, func(t *testing.T) {
			d := startDouble(t, true, xmpptest.ServerConfig{Users: users, Mechanisms: []string{name}})
			if _, err := login(t, d.settings(), users[0], newSink()); err != nil {
				t.Errorf("Login = %v", err)
			}
			if _, err := login(t, d.settings(), xmpptest.User{Name: "alice", Password: "wrong"}, newSink()); code(err) != domain.RejectBadCredentials {
				t.Errorf("Login with a wrong password = %v, want bad-credentials", err)
			}
		})
	}
}
