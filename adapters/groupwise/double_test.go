package groupwise_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"rollcall/adapters/groupwise"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// patience bounds each wait of a test.
const patience = 15 * time.Second

var names = []string{"alice", "bob", "carol", "dave"}

func password(name string) string { return "pw of " + name + " & 100%" }

// users know each other; dave stands in nobody's list.
func users() []gwserver.User {
	var users []gwserver.User
	for _, name := range names {
		u := gwserver.User{Name: name, Password: password(name), FullName: "The " + name}
		for _, other := range names[:3] {
			if other != name {
				u.Contacts = append(u.Contacts, gwserver.Entry{Person: other, Folder: "Friends"})
			}
		}
		users = append(users, u)
	}
	return users
}

// double is a server that can go away and come back.
type double struct {
	*gwserver.Server
	config  gwserver.Config
	address string
	// serve is read by one goroutine that outlives every start and stop, for tests
	// that look for goroutines left behind.
	serve  chan net.Listener
	served chan error
}

func newDouble(t testing.TB, change func(*gwserver.Config)) *double {
	t.Helper()
	certificate, err := gwserver.NewCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	d := &double{
		config: gwserver.Config{Certificate: certificate, Users: users()}, address: "127.0.0.1:0",
		serve: make(chan net.Listener), served: make(chan error),
	}
	if change != nil {
		change(&d.config)
	}
	go func() {
		for l := range d.serve {
			d.served <- d.Serve(l)
		}
	}()
	d.start(t)
	t.Cleanup(func() {
		d.stop(t)
		close(d.serve)
	})
	return d
}

func (d *double) start(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	d.address = l.Addr().String()
	d.Server = gwserver.New(d.config)
	d.serve <- l
}

func (d *double) stop(t testing.TB) {
	t.Helper()
	d.Close()
	if err := <-d.served; err != nil {
		t.Errorf("Serve = %v, want nil after Close", err)
	}
}

// settings lead to the double and pin its certificate.
func (d *double) settings() domain.Settings {
	return domain.Settings{Kind: domain.KindGroupWise, Address: d.address, Options: map[string]string{"pin-sha256": pin(d.config.Certificate)}}
}

func pin(certificate tls.Certificate) string {
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		panic(err) // the double made it
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// sink keeps what it is given.
type sink struct {
	mu      sync.Mutex
	events  []broker.UpstreamEvent
	changed chan struct{}
	gate    chan struct{} // where not nil, Deliver waits until it is closed
}

func newSink() *sink { return &sink{changed: make(chan struct{})} }

func (s *sink) Deliver(_ uint64, e broker.UpstreamEvent) {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.changed)
	s.changed = make(chan struct{})
}

// await waits for an event that satisfies is, and takes it out.
func await[E broker.UpstreamEvent](t testing.TB, s *sink, is func(E) bool) E {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		s.mu.Lock()
		for i, e := range s.events {
			if found, ok := e.(E); ok && is(found) {
				s.events = append(s.events[:i:i], s.events[i+1:]...)
				s.mu.Unlock()
				return found
			}
		}
		changed, events := s.changed, fmt.Sprintf("%+v", s.events)
		s.mu.Unlock()
		select {
		case <-changed:
		case <-late.C:
			var want E
			t.Fatalf("waited %v for a certain %T; what came: %s", patience, want, events)
		}
	}
}

func awaitMessage(t testing.TB, s *sink, from, body string) broker.MessageReceived {
	t.Helper()
	return await(t, s, func(m broker.MessageReceived) bool { return m.From == from && m.Body == body })
}

func awaitShow(t testing.TB, s *sink, contact string, show broker.Show) broker.PresenceChanged {
	t.Helper()
	return await(t, s, func(p broker.PresenceChanged) bool { return p.Contact == contact && p.Show == show })
}

func tryLogin(t testing.TB, settings domain.Settings, name, password string, s broker.Sink) (broker.Conversation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v, err := groupwise.New().Login(ctx, broker.UpstreamLogin{Session: 1, Settings: settings, Account: name, Password: password}, s)
	if err == nil {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := v.Logout(ctx); err != nil {
				t.Errorf("Logout(%s) = %v, want no error", name, err)
			}
		})
	}
	return v, err
}

func (d *double) login(t testing.TB, name string) (broker.Conversation, *sink) {
	t.Helper()
	s := newSink()
	v, err := tryLogin(t, d.settings(), name, password(name), s)
	if err != nil {
		t.Fatalf("Login(%s) = %v, want a conversation", name, err)
	}
	return v, s
}

func send(t testing.TB, v broker.Conversation, to, body string) {
	t.Helper()
	if err := trySend(v, to, body); err != nil {
		t.Fatalf("Send(%s, %q) = %v, want no error", to, body, err)
	}
}

func trySend(v broker.Conversation, to, body string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return v.Send(ctx, broker.OutgoingMessage{ID: "m", To: to, Body: body})
}

// code gives the code of an upstream error; zero if it is none.
func code(err error) domain.RejectCode {
	var e *broker.UpstreamError
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code
}
