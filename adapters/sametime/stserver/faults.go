package stserver

import (
	"slices"

	"rollcall/adapters/sametime/wire"
)

// Faults are what a server does wrong on purpose. They hold for what happens after
// [Server.SetFaults].
type Faults struct {
	// NoKey: HANDSHAKE_ACK holds no key, so that clients log in the weak way;
	// ShortKey: one that is a byte too short; OldMinor: the server is of a version
	// that knows no key.
	NoKey, ShortKey, OldMinor bool
	// RefuseLogin is the reason with which every login is refused.
	RefuseLogin wire.Reason
	// SilentHandshake and SilentLogin: no answer to HANDSHAKE, or to LOGIN.
	SilentHandshake, SilentLogin bool
	// RedirectTo is the host to which every login is redirected.
	RedirectTo string
	// Missing are services that are refused, and Silent those whose channels are
	// not answered.
	Missing, Silent []wire.Service
	// RefuseIM is the reason with which every channel for messages is refused.
	RefuseIM wire.Reason
	// Counters: single bytes stand between frames, and an unknown message in
	// front of each.
	Counters bool
	// SlowWrites: each byte is written by itself.
	SlowWrites bool
}

// SetFaults sets the faults from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (f *Faults) missing(service wire.Service) bool { return slices.Contains(f.Missing, service) }
func (f *Faults) silent(service wire.Service) bool  { return slices.Contains(f.Silent, service) }

// SetMaxSessions sets how many clients may be logged in; zero: any number.
func (s *Server) SetMaxSessions(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.MaxSessions = n
}

// Kick ends a person's logins with a reason.
func (s *Server) Kick(userID string, reason wire.Reason) {
	s.each(userID, func(c *client) { c.end(reason) })
}

// Drop closes a person's connections without a word.
func (s *Server) Drop(userID string) {
	s.each(userID, func(c *client) { c.conn.Close() })
}

// TakeAway closes a person's channels to a service with a reason.
func (s *Server) TakeAway(userID string, service wire.Service, reason wire.Reason) {
	s.each(userID, func(c *client) {
		for id, ch := range c.channels {
			if ch.service == service {
				delete(c.channels, id)
				c.send(&wire.ChannelDestroy{Channel: id, Reason: reason})
			}
		}
	})
}

// Say sends a message to a person's clients as it is.
func (s *Server) Say(userID string, m wire.Message) {
	s.each(userID, func(c *client) { c.send(m) })
}

// Write sends bytes to a person's clients that need not be a message.
func (s *Server) Write(userID string, raw []byte) {
	s.each(userID, func(c *client) { c.enqueue(raw) })
}

func (s *Server) each(userID string, do func(*client)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[userID]; p != nil {
		for _, c := range slices.Clone(p.clients) {
			do(c)
		}
	}
}
