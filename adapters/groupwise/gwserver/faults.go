package gwserver

import (
	"net"

	"rollcall/adapters/groupwise/wire"
)

// faultKind is how a request is answered instead of rightly.
type faultKind uint8

const (
	faultNone faultKind = iota
	faultSilence
	faultCode
	faultBytes
	faultRedirect
)

type fault struct {
	kind    faultKind
	code    wire.Code
	bytes   []byte
	address string
	times   int
}

// faults are what is wrong with each request.
type faults struct{ of map[string]*fault }

func newFaults() faults { return faults{make(map[string]*fault)} }

// next gives what is wrong with this request, and counts it.
func (f faults) next(command string) fault {
	wrong := f.of[command]
	if wrong == nil {
		return fault{}
	}
	if wrong.times--; wrong.times == 0 {
		delete(f.of, command)
	}
	return *wrong
}

func (s *Server) set(command string, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.of[command] = &f
}

// Refuse answers the next requests of that command, so many times, with a code.
func (s *Server) Refuse(command string, code wire.Code, times int) {
	s.set(command, fault{kind: faultCode, code: code, times: times})
}

// Ignore answers the next requests of that command, so many times, with silence.
func (s *Server) Ignore(command string, times int) {
	s.set(command, fault{kind: faultSilence, times: times})
}

// Garble answers the next requests of that command, so many times, with these
// bytes.
func (s *Server) Garble(command string, b []byte, times int) {
	s.set(command, fault{kind: faultBytes, bytes: b, times: times})
}

// Redirect sends the next login to another address.
func (s *Server) Redirect(address string) {
	s.set(wire.CommandLogin, fault{kind: faultRedirect, address: address, times: 1})
}

// Recover ends what [Server.Refuse], [Server.Ignore], [Server.Garble] and
// [Server.Redirect] began.
func (s *Server) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults.of)
}

// SetMaxSessions changes how many sessions there may be; zero: any number.
func (s *Server) SetMaxSessions(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.MaxSessions = n
}

// Sessions gives how many sessions have logged in.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signedOn()
}

// each calls f for every session of a user, or of everybody where user is empty.
func (s *Server) each(user string, f func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		if c.user != nil && (user == "" || c.user == s.directory.find(user)) {
			f(c)
		}
	}
}

// Tell sends an event to each session of a user, whether it makes sense or not.
func (s *Server) Tell(user string, e wire.Event) {
	s.each(user, func(c *session) { c.put(&e) })
}

// TellBytes sends bytes to each session of a user.
func (s *Server) TellBytes(user string, b []byte) {
	s.each(user, func(c *session) { c.putBytes(b) })
}

// Cut breaks each connection of a user, without the end that TLS has, and with a
// reset, which clients notice at once.
func (s *Server) Cut(user string) {
	s.each(user, func(c *session) {
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // else the connection ends in order
		}
		c.raw.Close()
	})
}

// GoDown tells everybody that the server is going down, and then closes their
// connections.
func (s *Server) GoDown() {
	s.each("", func(c *session) {
		c.put(&wire.Event{Type: wire.GoingDown, Source: c.user.dn})
		c.hangUp()
	})
}

// Type makes a user, who need not be logged in, seem to begin or to stop typing
// to another.
func (s *Server) Type(from, to string, typing bool) {
	s.mu.Lock()
	source := s.directory.find(from)
	s.mu.Unlock()
	e := wire.Event{Type: wire.StoppedTyping, Source: source.dn, GUID: "[0D0B1E00-0D0B1E00-0D0B1E00-0001-0001]"}
	if typing {
		e.Type = wire.Typing
	}
	s.Tell(to, e)
}

// Status tells how others see a user now.
func (s *Server) Status(user string) (wire.Status, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.directory.find(user)
	return u.shown(), u.text
}
