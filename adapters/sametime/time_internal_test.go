package sametime

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// line is a connection to a double under a clock of the test's own.
type line struct {
	net.Conn // the server's end

	mu      sync.Mutex
	written bytes.Buffer // what the connector has written
}

// Read reads for the server.
func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written.Write(p[:n])
	return n, err
}

func (l *line) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.written.Bytes())
}

type events struct {
	mu  sync.Mutex
	all []broker.UpstreamEvent
}

// Deliver implements [broker.Sink].
func (s *events) Deliver(_ uint64, e broker.UpstreamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, e)
}

func (s *events) last() broker.UpstreamEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[len(s.all)-1]
}

// bubble runs a test with a double, and a login that is bounded as the broker's
// are.
func bubble(t *testing.T, faults stserver.Faults, test func(t *testing.T, s *stserver.Server, l *line, login func() (broker.Conversation, *events, error))) {
	synctest.Test(t, func(t *testing.T) {
		server := stserver.New(stserver.Config{Accounts: []stserver.Account{
			{Name: "alice", Password: "a", Contacts: wire.ContactList{Groups: []wire.ContactGroup{{ID: "g", Kind: '2', Users: []wire.ContactUser{{ID: "bob", Kind: '1'}}}}}},
			{Name: "bob", Password: "b"},
		}})
		server.SetFaults(faults)
		near, far := net.Pipe()
		l := &line{Conn: far}
		var serving sync.WaitGroup
		c := New(slog.New(slog.DiscardHandler))
		c.dial = func(context.Context, string, string) (net.Conn, error) {
			serving.Go(func() { server.ServeConn(l) })
			return near, nil
		}
		test(t, server, l, func() (broker.Conversation, *events, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			sink := new(events)
			in := broker.UpstreamLogin{Settings: domain.Settings{Address: "sametime.test:1533"}, Account: "alice", Password: "a"}
			conv, err := c.Login(ctx, in, sink)
			return conv, sink, err
		})
		near.Close()
		server.Close()
		serving.Wait()
	})
}

// TestKeepAlive lets a session be quiet for ten minutes.
func TestKeepAlive(t *testing.T) {
	bubble(t, stserver.Faults{}, func(t *testing.T, _ *stserver.Server, l *line, login func() (broker.Conversation, *events, error)) {
		conv, _, err := login()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := len(l.bytes())
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		got := l.bytes()[before:]
		if want := bytes.Repeat([]byte{wire.KeepAlive}, 20); !bytes.Equal(got, want) {
			t.Errorf("in ten quiet minutes the connector sends %x, want %x", got, want)
		}
		if err := conv.Logout(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestHalfAFrame has the server stop in the middle of a message.
func TestHalfAFrame(t *testing.T) {
	bubble(t, stserver.Faults{}, func(t *testing.T, s *stserver.Server, _ *line, login func() (broker.Conversation, *events, error)) {
		conv, sink, err := login()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // silence between messages is no fault
		synctest.Wait()
		s.Write("alice", []byte{0, 0, 0, 99, 0})
		time.Sleep(framePatience + time.Second)
		synctest.Wait()
		closed, is := sink.last().(broker.Closed)
		var e *broker.UpstreamError
		if !is || !errors.As(closed.Err, &e) || e.Code != domain.RejectUpstreamTimeout {
			t.Errorf("the last event is %+v, want Closed with upstream-timeout", sink.last())
		}
		if err := conv.Logout(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestServerThatReadsNoMore has the server take no more bytes.
func TestServerThatReadsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		n := &negotiation{o: &options{}, conn: near, frames: wire.NewFrameReader(near), ack: &wire.LoginAck{}}
		c := newConversation(n.o, slog.New(slog.DiscardHandler), n, new(events))
		began := time.Now()
		err := c.SetPresence(t.Context(), broker.OwnPresence{Show: broker.ShowAway})
		var e *broker.UpstreamError
		if !errors.As(err, &e) || e.Code != domain.RejectUpstreamTimeout || time.Since(began) != writePatience {
			t.Errorf("SetPresence = %v after %v, want upstream-timeout after %v", err, time.Since(began), writePatience)
		}
	})
}

// TestSilence has the server not answer what a message needs.
func TestSilence(t *testing.T) {
	for name, c := range map[string]struct {
		silent wire.Service
		to     string
	}{
		"the recipient":  {wire.ServiceIM, "bob"},
		"name resolving": {wire.ServiceResolve, "somebody"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, stserver.Faults{Silent: []wire.Service{c.silent}}, func(t *testing.T, _ *stserver.Server, _ *line, login func() (broker.Conversation, *events, error)) {
				conv, _, err := login()
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err = conv.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: c.to, Body: "x"})
				var refused *broker.SendError
				if took := time.Since(began); !errors.As(err, &refused) || took < answerPatience || took > 2*answerPatience {
					t.Errorf("Send = %v after %v, want a *SendError after %v", err, took, answerPatience)
				}
				if err := conv.Logout(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
	for name, faults := range map[string]stserver.Faults{
		"at the handshake":    {SilentHandshake: true},
		"at the login":        {SilentLogin: true},
		"at the contact list": {Silent: []wire.Service{wire.ServiceStorage}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, faults, func(t *testing.T, _ *stserver.Server, _ *line, login func() (broker.Conversation, *events, error)) {
				began := time.Now()
				_, sink, err := login()
				var e *broker.UpstreamError
				if !errors.As(err, &e) || e.Code != domain.RejectUpstreamTimeout || time.Since(began) != 30*time.Second {
					t.Errorf("Login = %v after %v, want upstream-timeout after 30s", err, time.Since(began))
				}
				if len(sink.all) > 0 {
					t.Errorf("a failed login delivered %+v", sink.all)
				}
			})
		})
	}
}
