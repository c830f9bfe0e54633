package gwserver

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"rollcall/adapters/groupwise/wire"
)

// Server is a running double. It is safe for concurrent use.
//
// Everything of it that changes is under one lock, which is never held over a
// read or a write: what is for a client goes into its session's queue.
type Server struct {
	config Config
	tls    *tls.Config

	mu            sync.Mutex
	directory     directory
	sessions      map[*session]struct{}
	conversations map[string]*conversation
	listeners     map[net.Listener]struct{}
	faults        faults
	numbered      int // sessions so far
	created       int // conversations so far
	closed        bool

	running sync.WaitGroup
}

// New gives a server with its users. It panics where a contact is nobody: its
// caller has made a mistake.
func New(config Config) *Server {
	config.FullCode = cmp.Or(config.FullCode, wire.ServerBusy)
	config.WriteLimit = cmp.Or(config.WriteLimit, 30*time.Second)
	return &Server{
		config:        config,
		tls:           &tls.Config{Certificates: []tls.Certificate{config.Certificate}, MinVersion: tls.VersionTLS12},
		directory:     newDirectory(config.Users),
		sessions:      make(map[*session]struct{}),
		conversations: make(map[string]*conversation),
		listeners:     make(map[net.Listener]struct{}),
		faults:        newFaults(),
	}
}

// errClosed tells that the server has been closed.
var errClosed = errors.New("the server is closed")

// Serve takes connections until the listener or the server is closed, and gives
// the listener's error, or nil after [Server.Close].
func (s *Server) Serve(l net.Listener) error {
	if err := s.keep(l); err != nil {
		l.Close()
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.listeners, l)
			if s.closed {
				return nil
			}
			return err
		}
		s.ServeConn(conn)
	}
}

func (s *Server) keep(l net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.listeners[l] = struct{}{}
	return nil
}

// ServeConn serves one client, on a goroutine of its own.
func (s *Server) ServeConn(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return
	}
	s.numbered++
	c := newSession(s, s.numbered, conn)
	s.sessions[c] = struct{}{}
	s.running.Go(c.run)
}

// Close ends every session and every Serve, and returns when nothing runs any
// more.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.sessions {
		c.raw.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// end takes a session out.
func (s *Server) end(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
	s.signOff(c)
}
