package xmpptest

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"rollcall/domain"
)

// ServerConfig says what a double serves.
type ServerConfig struct {
	Users []User
	// Contacts gives whom a user has in the roster, by name, subscribed both
	// ways; nil: nobody has anybody.
	Contacts func(name string) []string
	// TLS is what STARTTLS leads to; nil: streams stay in the clear.
	TLS *tls.Config
	// Mechanisms are offered in this order; nil: SCRAM-SHA-256, SCRAM-SHA-1 and,
	// under TLS, PLAIN.
	Mechanisms []string
	// NoManagement leaves stream management out.
	NoManagement bool
	// Hibernation is how long a broken stream can be resumed; 30 s where zero.
	Hibernation time.Duration
}

// Server is a double of an XMPP server. It is safe for concurrent use.
type Server struct {
	config ServerConfig
	scram  *scramServers

	mu      sync.Mutex
	users   map[string]*user
	conns   map[net.Conn]struct{}
	closed  bool
	running sync.WaitGroup
}

// user is an account with the sessions that are bound to it.
type user struct {
	User
	sessions []*session
	offline  []stanza // messages for the next login
}

// maxOffline is how many messages are kept for a user who is away.
const maxOffline = 10_000

// NewServer gives a double that serves nobody yet.
func NewServer(c ServerConfig) *Server {
	if c.Hibernation == 0 {
		c.Hibernation = 30 * time.Second
	}
	s := &Server{config: c, users: make(map[string]*user, len(c.Users)), conns: make(map[net.Conn]struct{})}
	for _, u := range c.Users {
		s.users[u.Name] = &user{User: u}
	}
	s.scram = newScramServers(s.password)
	return s
}

// Settings are those of a service that leads to a double at an address. caFile
// is the authority of its certificate; empty where it has none.
func Settings(address, caFile string) domain.Settings {
	options := map[string]string{"domain": Domain, "tls": "none-for-loopback-tests-only"}
	if caFile != "" {
		options = map[string]string{"domain": Domain, "ca-file": caFile}
	}
	return domain.Settings{Kind: domain.KindXMPP, Address: address, Options: options}
}

// Serve takes streams on l until Close, and then gives nil.
func (s *Server) Serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			if s.isClosed() || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		if !s.enter(conn) {
			conn.Close()
			return l.Close()
		}
		go func() {
			defer s.leave(conn)
			serveStream(s, conn)
		}()
	}
}

func (s *Server) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[conn] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) leave(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
	s.running.Done()
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close breaks every stream, forgets those that could be resumed, and returns
// when nobody is served any more. The listener is its maker's to close.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		conn.Close()
	}
	for _, u := range s.users {
		for _, session := range u.sessions {
			session.stopHibernation()
		}
	}
	s.mu.Unlock()
	s.running.Wait()
}

// Cut breaks the connection of every session of a user, as a network does.
func (s *Server) Cut(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[name]; u != nil {
		for _, session := range u.sessions {
			session.cut()
		}
	}
}

// Sessions gives how many sessions are bound, those that hibernate included.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, u := range s.users {
		n += len(u.sessions)
	}
	return n
}

func (s *Server) password(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[name]
	if u == nil {
		return "", false
	}
	return u.Password, true
}

func (s *Server) contacts(name string) []string {
	if s.config.Contacts == nil {
		return nil
	}
	return s.config.Contacts(name)
}
