package gwserver

import (
	"slices"

	"rollcall/adapters/groupwise/wire"
)

// sendInvite asks people into a conversation, which makes it a conference.
func (s *Server) sendInvite(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	v := s.inConversation(c, fields)
	if v == nil {
		return nil, wire.ConversationNotFound
	}
	asked, code := s.users(wire.Participants(fields), c.user)
	if code != wire.OK {
		return nil, code
	}
	for _, u := range asked {
		switch {
		case v.has(u):
			return nil, wire.DuplicateParticipant
		case len(u.sessions) == 0:
			return nil, wire.ConversationInvite
		}
	}
	for _, u := range asked {
		v.invited = append(v.invited, u)
		u.tell(wire.Event{Type: wire.Invitation, Source: c.user.dn, GUID: v.guid, Text: fields.Value(wire.TagMessageBody)})
		v.tell(u, wire.Event{Type: wire.Invited})
	}
	return nil, wire.OK
}

// invitation gives the conversation that a user has been invited to; nil if there
// is none.
func (s *Server) invitation(c *session, fields wire.Fields) *conversation {
	v := s.conversations[wire.ParseGUID(fields).Key()]
	if v == nil || !slices.Contains(v.invited, c.user) {
		return nil
	}
	v.invited = slices.DeleteFunc(v.invited, func(u *user) bool { return u == c.user })
	return v
}

func (s *Server) joinConversation(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	v := s.invitation(c, fields)
	if v == nil {
		return nil, wire.ConversationNotFound
	}
	v.people = append(v.people, c.user)
	v.tell(c.user, wire.Event{Type: wire.Joined})
	return wire.JoinAnswer(names(v.people), names(v.invited)), wire.OK
}

func (s *Server) rejectInvitation(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	v := s.invitation(c, fields)
	if v == nil {
		return nil, wire.ConversationNotFound
	}
	v.tell(c.user, wire.Event{Type: wire.InviteRejected})
	return nil, wire.OK
}

func names(users []*user) []string {
	dns := make([]string, len(users))
	for i, u := range users {
		dns[i] = u.dn
	}
	return dns
}
