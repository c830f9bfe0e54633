package stserver

import (
	"errors"
	"log/slog"
	"net"
	"sync"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
)

// Account is somebody who can log in.
type Account struct {
	Name     string // typed at login
	Password string
	UserID   string // Name where it is empty
	Display  string // for people; UserID where it is empty
	// Contacts are the contact list.
	Contacts wire.ContactList
}

// Config is what a server begins with.
type Config struct {
	Accounts []Account
	// MaxSessions is how many clients may be logged in; zero: any number.
	MaxSessions int
	// SingleLogin makes a new login end the person's older ones.
	SingleLogin bool
	// ServerID is what the server calls itself; "sametime.example" where empty.
	ServerID string
	// Observe, where it is set, is called with every frame, without its length.
	// It must not call the server, nor keep the frame.
	Observe func(client uint64, side wire.Side, frame []byte)
	// Logger may be nil.
	Logger *slog.Logger
}

// Server is the double. It is safe for concurrent use.
type Server struct {
	config  Config
	keys    seal.KeyPair
	running sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	listeners   map[net.Listener]struct{}
	clients     map[*client]struct{} // every connection
	accounts    map[string]*person   // by login name
	people      map[string]*person   // by user id
	conferences map[string]*conference
	faults      Faults
	numbered    uint64 // clients so far
	sessions    int    // logged in
}

// person is an account with what the server knows of its owner.
type person struct {
	Account
	clients  []*client // logged in, oldest first
	status   wire.UserStatus
	privacy  wire.PrivacyInfo
	stored   map[wire.StorageKey][]byte
	watchers map[*client][]wire.AwareID
}

// ErrClosed tells that the server was closed before.
var ErrClosed = errors.New("the double is closed")

// New gives a server without connections.
func New(config Config) *Server {
	if config.ServerID == "" {
		config.ServerID = "sametime.example"
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		config:      config,
		keys:        seal.NewKeyPair(),
		listeners:   make(map[net.Listener]struct{}),
		clients:     make(map[*client]struct{}),
		accounts:    make(map[string]*person),
		people:      make(map[string]*person),
		conferences: make(map[string]*conference),
	}
	for _, a := range config.Accounts {
		s.AddAccount(a)
	}
	return s
}

// AddAccount adds an account, or replaces one that nobody is logged in to.
func (s *Server) AddAccount(a Account) {
	if a.UserID == "" {
		a.UserID = a.Name
	}
	if a.Display == "" {
		a.Display = a.UserID
	}
	p := &person{Account: a, stored: make(map[wire.StorageKey][]byte), watchers: make(map[*client][]wire.AwareID)}
	if len(a.Contacts.Groups) > 0 {
		if value, err := wire.Marshal(&wire.StringValue{Text: a.Contacts.String()}); err == nil {
			p.stored[wire.KeyContacts] = value
		} else {
			s.config.Logger.Error("the contact list is too long and is left out", "account", a.Name, "error", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.Name], s.people[a.UserID] = p, p
}

// Serve takes connections until the server is closed, and gives nil then. It
// closes the listener.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	for {
		conn, err := l.Accept()
		if err != nil {
			if s.isClosed() {
				return nil
			}
			return err
		}
		go s.ServeConn(conn)
	}
}

// ServeConn serves one connection until it ends.
func (s *Server) ServeConn(conn net.Conn) {
	c := s.begin(conn)
	if c == nil {
		conn.Close()
		return
	}
	defer s.running.Done()
	c.serve()
}

// begin counts a connection in, unless the server is closed.
func (s *Server) begin(conn net.Conn) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.running.Add(1)
	s.numbered++
	c := &client{s: s, conn: conn, number: s.numbered, channels: make(map[uint32]*channel)}
	s.clients[c] = struct{}{}
	return c
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends every connection without a word, as a server that dies does, and
// returns when nothing runs any more.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.clients {
		c.conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// Sessions gives how many clients are logged in.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}
