package gwserver

import (
	"rollcall/adapters/groupwise/wire"
)

func (s *Server) setStatus(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	set := wire.ParseSetStatus(fields)
	if set.Status < wire.StatusOffline || set.Status > wire.StatusIdle {
		return nil, wire.NotSupported
	}
	u := c.user
	u.reply, u.replied = set.Reply, nil
	if u.status != set.Status || u.text != set.Text {
		u.status, u.text = set.Status, set.Text
		s.tellStatus(u)
	}
	return nil, wire.OK
}

// tellStatus tells everybody who has a user in the contact list.
func (s *Server) tellStatus(u *user) {
	told := make(map[*user]bool)
	for c := range s.sessions {
		if w := c.user; w != nil && w != u && !told[w] && w.list.has(u) {
			told[w] = true
			w.tell(wire.Event{Type: wire.StatusChanged, Source: u.dn, Status: u.shown(), Text: u.text})
		}
	}
}

func (s *Server) getStatus(_ *session, fields wire.Fields) (wire.Fields, wire.Code) {
	for _, name := range wire.ParseNames(fields) {
		if u := s.directory.find(name); u != nil {
			return wire.StatusAnswer(u.shown()), wire.OK
		}
	}
	return nil, wire.UserNotFound
}

func (s *Server) getDetails(_ *session, fields wire.Fields) (wire.Fields, wire.Code) {
	var found []wire.Person
	for _, name := range wire.ParseNames(fields) {
		if u := s.directory.find(name); u != nil {
			found = append(found, u.person())
		}
	}
	if len(found) == 0 {
		return nil, wire.UserNotFound
	}
	return wire.DetailsAnswer(found...), wire.OK
}
