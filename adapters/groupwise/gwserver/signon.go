package gwserver

import (
	"slices"

	"rollcall/adapters/groupwise/wire"
)

// login signs a user on. They are available from then on.
func (s *Server) login(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	l := wire.ParseLogin(fields)
	u := s.directory.find(l.User)
	switch {
	case c.user != nil:
		return nil, wire.NotSupported
	case l.Level == 0:
		return nil, wire.ServerProtocol
	case l.Password == "":
		return nil, wire.CredentialsMissing
	case u == nil || u.Password != l.Password:
		return nil, wire.AuthenticationFailed
	}
	if !s.config.SeveralSignOns {
		s.signOffOthers(u)
	}
	if s.config.MaxSessions > 0 && s.signedOn() >= s.config.MaxSessions {
		return nil, s.config.FullCode
	}
	c.user, c.level = u, l.Level
	u.sessions = append(u.sessions, c)
	if len(u.sessions) == 1 {
		u.status, u.text, u.reply = wire.StatusAvailable, "", ""
		s.tellStatus(u)
	}
	return wire.LoginAnswer{Self: u.person(), KeepAlive: s.config.KeepAlive, Contacts: u.list.shown()}.Fields(), wire.OK
}

// signOffOthers ends the sessions that a user has.
func (s *Server) signOffOthers(u *user) {
	for _, old := range slices.Clone(u.sessions) {
		old.put(&wire.Event{Type: wire.SignedOnElsewhere, Source: u.dn})
		s.signOff(old)
		old.hangUp()
	}
}

// signedOn gives how many sessions have logged in.
func (s *Server) signedOn() (n int) {
	for c := range s.sessions {
		if c.user != nil {
			n++
		}
	}
	return n
}

// signOff makes a session nobody's. With the last one the user is gone: from all
// conversations, and for all who watch.
func (s *Server) signOff(c *session) {
	u := c.user
	if u == nil {
		return
	}
	c.user = nil
	u.sessions = slices.DeleteFunc(u.sessions, func(other *session) bool { return other == c })
	if len(u.sessions) > 0 {
		return
	}
	for _, v := range s.conversations {
		s.leave(v, u)
	}
	u.status, u.text, u.reply = wire.StatusOffline, "", ""
	s.tellStatus(u)
}

// tell sends an event to each of a user's sessions.
func (u *user) tell(e wire.Event) {
	for _, c := range u.sessions {
		c.put(&e)
	}
}
