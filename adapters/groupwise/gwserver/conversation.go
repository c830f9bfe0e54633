package gwserver

import (
	"fmt"
	"slices"

	"rollcall/adapters/groupwise/wire"
)

// conversation is who gets each other's messages.
type conversation struct {
	guid    wire.GUID
	people  []*user
	invited []*user
}

func (v *conversation) has(u *user) bool { return slices.Contains(v.people, u) }

// tell sends an event about the conversation to everybody in it but its source.
func (v *conversation) tell(source *user, e wire.Event) {
	e.Source, e.GUID = source.dn, v.guid
	for _, u := range v.people {
		if u != source {
			u.tell(e)
		}
	}
}

// users gives the users of these names, without one of them.
func (s *Server) users(names []string, without *user) ([]*user, wire.Code) {
	var users []*user
	for _, name := range names {
		u := s.directory.find(name)
		if u == nil {
			return nil, wire.UserNotFound
		}
		if u != without && !slices.Contains(users, u) {
			users = append(users, u)
		}
	}
	return users, wire.OK
}

// createConversation makes a conversation with whoever is named; nobody else is
// told until somebody writes.
func (s *Server) createConversation(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	others, code := s.users(wire.Participants(fields), c.user)
	if code != wire.OK {
		return nil, code
	}
	for _, u := range others {
		if len(u.sessions) == 0 {
			return nil, wire.ConversationInvite
		}
	}
	s.created++
	v := &conversation{
		guid:   wire.GUID(fmt.Sprintf("[%08X-%08X-%08X-%04X-%04X]", s.created, s.created>>32, 0x0D0B1E00, 1, 1)),
		people: append(others, c.user),
	}
	s.conversations[v.guid.Key()] = v
	return wire.CreateAnswer(v.guid), wire.OK
}

// inConversation gives the conversation that a request is about; nil if the user
// is not in it.
func (s *Server) inConversation(c *session, fields wire.Fields) *conversation {
	v := s.conversations[wire.ParseGUID(fields).Key()]
	if v == nil || !v.has(c.user) {
		return nil
	}
	return v
}

func (s *Server) sendMessage(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	v := s.inConversation(c, fields)
	if v == nil {
		return nil, wire.ConversationNotFound
	}
	m := wire.ParseSendMessage(fields)
	v.tell(c.user, wire.Event{Type: wire.Message, Text: m.Body})
	for _, u := range v.people {
		if u != c.user {
			s.answerInPlaceOf(u, c.user, v)
		}
	}
	s.tellUndelivered(c, v, m.To)
	return nil, wire.OK
}

// answerInPlaceOf sends the automatic answer of a user who has one, once to each
// person until the status changes.
func (s *Server) answerInPlaceOf(u, to *user, v *conversation) {
	if u.reply == "" || u.replied[to] {
		return
	}
	if u.replied == nil {
		u.replied = make(map[*user]bool)
	}
	u.replied[to] = true
	to.tell(wire.Event{Type: wire.AutomaticReply, Source: u.dn, GUID: v.guid, Text: u.reply})
}

// tellUndelivered tells the sender of each person who was named and is not in the
// conversation any more.
func (s *Server) tellUndelivered(c *session, v *conversation, names []string) {
	for _, name := range names {
		if u := s.directory.find(name); u != nil && !v.has(u) {
			c.put(&wire.Event{Type: wire.Undeliverable, Source: u.dn, GUID: v.guid})
		}
	}
}

func (s *Server) sendTyping(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	v := s.inConversation(c, fields)
	if v == nil {
		return nil, wire.ConversationNotFound
	}
	e := wire.Event{Type: wire.StoppedTyping}
	if wire.ParseTyping(fields) {
		e.Type = wire.Typing
	}
	v.tell(c.user, e)
	return nil, wire.OK
}

func (s *Server) leaveConversation(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	v := s.inConversation(c, fields)
	if v == nil {
		return nil, wire.ConversationNotFound
	}
	s.leave(v, c.user)
	return nil, wire.OK
}

// leave takes a user out of a conversation, which ends with its last one.
func (s *Server) leave(v *conversation, u *user) {
	isUser := func(other *user) bool { return other == u }
	v.invited = slices.DeleteFunc(v.invited, isUser)
	if !v.has(u) {
		return
	}
	v.people = slices.DeleteFunc(v.people, isUser)
	v.tell(u, wire.Event{Type: wire.Left})
	if len(v.people) == 0 {
		delete(s.conversations, v.guid.Key())
	}
}
