package device

import (
	"fmt"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

// statePart is a state, or a part of one: a roster that does not fit into a record
// travels in several.
type statePart struct {
	broker.State
	more bool // the next state goes on with it
}

func toState(s statePart) *linkpb.State {
	m := &linkpb.State{Number: s.Number}
	switch b := s.Body.(type) {
	case broker.RosterReceived:
		roster := toRoster(b)
		roster.More = s.more
		m.Body = &linkpb.State_Roster{Roster: roster}
	case broker.RosterChanged:
		c := &linkpb.RosterChange{Contact: toContact(b.Contact), Removed: b.Removed}
		m.Body = &linkpb.State_RosterChange{RosterChange: c}
	case broker.PresenceChanged:
		m.Body = &linkpb.State_Presence{Presence: toPresence(b)}
	case broker.TypingChanged:
		m.Body = &linkpb.State_Typing{Typing: &linkpb.Typing{Contact: valid(b.Contact), Typing: b.Typing}}
	case nil: // a device's end, of news that it has no name for
	default:
		panic(fmt.Sprintf("device link: a %T is not a state's body", b))
	}
	return m
}

func toPresence(p broker.PresenceChanged) *linkpb.Presence {
	return &linkpb.Presence{Contact: valid(p.Contact), Show: toShow(p.Show), Text: cut(valid(p.Text), maxPresenceText)}
}

func toContact(c broker.Contact) *linkpb.Contact {
	m := &linkpb.Contact{Address: valid(c.Address), Name: valid(c.Name)}
	for _, g := range c.Groups {
		m.Groups = append(m.Groups, valid(g))
	}
	return m
}

func toRoster(r broker.RosterReceived) *linkpb.Roster {
	m := &linkpb.Roster{Contacts: make([]*linkpb.Contact, len(r.Contacts))}
	for i, c := range r.Contacts {
		m.Contacts[i] = toContact(c)
	}
	return m
}

// fromState gives a state; one whose body is of a newer version has none.
func fromState(m *linkpb.State) statePart {
	s := statePart{State: broker.State{Number: m.GetNumber()}}
	switch b := m.GetBody().(type) {
	case *linkpb.State_Roster:
		s.Body, s.more = fromRoster(b.Roster), b.Roster.GetMore()
	case *linkpb.State_RosterChange:
		s.Body = fromRosterChange(b.RosterChange)
	case *linkpb.State_Presence:
		s.Body = fromPresence(b.Presence)
	case *linkpb.State_Typing:
		s.Body = broker.TypingChanged{Contact: b.Typing.GetContact(), Typing: b.Typing.GetTyping()}
	}
	return s
}

func fromRosterChange(m *linkpb.RosterChange) broker.RosterChanged {
	return broker.RosterChanged{Contact: fromContact(m.GetContact()), Removed: m.GetRemoved()}
}

func fromPresence(m *linkpb.Presence) broker.PresenceChanged {
	show, _ := fromShow(m.GetShow()) // one of a newer version has no name here
	return broker.PresenceChanged{Contact: m.GetContact(), Show: show, Text: m.GetText()}
}

func fromContact(m *linkpb.Contact) broker.Contact {
	return broker.Contact{Address: m.GetAddress(), Name: m.GetName(), Groups: m.GetGroups()}
}

func fromRoster(m *linkpb.Roster) broker.RosterReceived {
	var r broker.RosterReceived
	for _, c := range m.GetContacts() {
		r.Contacts = append(r.Contacts, fromContact(c))
	}
	return r
}
