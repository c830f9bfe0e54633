package groupwise_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/adapters/groupwise"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// inMemory logs alice in to a server with connections in memory, so that time
// can be made to pass.
func inMemory(t *testing.T, change func(*gwserver.Config)) (*gwserver.Server, broker.Conversation, *sink) {
	t.Helper()
	certificate, err := gwserver.NewCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := gwserver.Config{Certificate: certificate, Users: users()}
	change(&config)
	server := gwserver.New(config)
	t.Cleanup(server.Close)
	connector := groupwise.NewWithDial(func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		server.ServeConn(far)
		return near, nil
	})
	s := newSink()
	settings := domain.Settings{Kind: domain.KindGroupWise, Address: "127.0.0.1:8300", Options: map[string]string{"pin-sha256": pin(certificate)}}
	v, err := connector.Login(t.Context(), broker.UpstreamLogin{Settings: settings, Account: "alice", Password: password("alice")}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Logout(context.Background()); err != nil {
			t.Errorf("Logout = %v, want no error", err)
		}
	})
	return server, v, s
}

// closedWith gives why the conversation was closed; nil if it was not.
func (s *sink) closedWith() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if closed, ok := e.(broker.Closed); ok {
			return closed.Err
		}
	}
	return nil
}

// TestPingsKeepTheConversation has a server that hangs up on whoever is silent
// for a little over a minute.
func TestPingsKeepTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pings counter
		_, _, s := inMemory(t, func(c *gwserver.Config) { c.Trace, c.IdleLimit = pings.count("> ping"), 70*time.Second })
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if err := s.closedWith(); err != nil || pings.get() != 60 {
			t.Errorf("after an hour of silence: closed with %v, %d pings; want an open conversation and 60", err, pings.get())
		}
	})
}

func TestServerThatFallsSilentIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, s := inMemory(t, func(*gwserver.Config) {})
		server.Ignore(wire.CommandPing, 1000)
		time.Sleep(91 * time.Second)
		synctest.Wait()
		if err := s.closedWith(); code(err) != domain.RejectUpstreamTimeout {
			t.Errorf("91 s after the server fell silent: closed with %v, want upstream-timeout", err)
		}
	})
}

func TestHalfAMessageThenSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, s := inMemory(t, func(*gwserver.Config) {})
		server.TellBytes("alice", []byte("\x6c\x00\x00\x00\x0e\x00\x00\x00cn=bob"))
		time.Sleep(21 * time.Second)
		synctest.Wait()
		if err := s.closedWith(); code(err) != domain.RejectUpstreamTimeout {
			t.Errorf("21 s after half a message: closed with %v, want upstream-timeout", err)
		}
	})
}

// TestSlowSinkIsNoSilence has the sink held up for longer than any patience.
func TestSlowSinkIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, s := inMemory(t, func(c *gwserver.Config) { c.WriteLimit = time.Hour })
		synctest.Wait()
		s.mu.Lock()
		s.gate = make(chan struct{})
		s.mu.Unlock()
		bob := "cn=bob," + gwserver.Organisation
		for range 200 {
			server.Tell("alice", wire.Event{Type: wire.StatusChanged, Source: bob, Status: wire.StatusAway})
		}
		time.Sleep(95 * time.Second)
		close(s.gate)
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if err := s.closedWith(); err != nil {
			t.Errorf("closed with %v, want an open conversation", err)
		}
	})
}
