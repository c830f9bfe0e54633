package device

import (
	"fmt"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

func toItem(i broker.Item) *linkpb.Item {
	m := &linkpb.Item{Number: i.Number}
	switch b := i.Body.(type) {
	case broker.MessageReceived:
		m.Body = &linkpb.Item_Message{Message: toMessage(b)}
	case broker.PresenceChanged:
		p := &linkpb.Presence{Contact: valid(b.Contact), Show: toShow(b.Show), Text: valid(b.Text)}
		m.Body = &linkpb.Item_Presence{Presence: p}
	case broker.RosterReceived:
		m.Body = &linkpb.Item_Roster{Roster: toRoster(b)}
	case broker.RosterChanged:
		c := &linkpb.RosterChange{Contact: toContact(b.Contact), Removed: b.Removed}
		m.Body = &linkpb.Item_RosterChange{RosterChange: c}
	case broker.TypingChanged:
		m.Body = &linkpb.Item_Typing{Typing: &linkpb.Typing{Contact: valid(b.Contact), Typing: b.Typing}}
	case broker.Dropped:
		m.Body = &linkpb.Item_Dropped{Dropped: &linkpb.Dropped{Count: b.Count}}
	default:
		panic(fmt.Sprintf("device link: a %T is not an item's body", b))
	}
	return m
}

func toMessage(m broker.MessageReceived) *linkpb.Message {
	msg := &linkpb.Message{Id: valid(m.ID), From: valid(m.From), Body: valid(m.Body)}
	if !m.Sent.IsZero() {
		msg.SentMs = m.Sent.UnixMilli()
	}
	return msg
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

func fromItem(m *linkpb.Item) (broker.ToDevice, error) {
	item := broker.Item{Number: m.GetNumber()}
	if item.Number == 0 {
		return nil, malformed("item", "no number")
	}
	switch b := m.GetBody().(type) {
	case *linkpb.Item_Message:
		item.Body = fromMessage(b.Message)
	case *linkpb.Item_Presence:
		show, _ := fromShow(b.Presence.GetShow()) // one of a newer version has no name here
		item.Body = broker.PresenceChanged{Contact: b.Presence.GetContact(), Show: show, Text: b.Presence.GetText()}
	case *linkpb.Item_Roster:
		item.Body = fromRoster(b.Roster)
	case *linkpb.Item_RosterChange:
		item.Body = broker.RosterChanged{Contact: fromContact(b.RosterChange.GetContact()), Removed: b.RosterChange.GetRemoved()}
	case *linkpb.Item_Typing:
		item.Body = broker.TypingChanged{Contact: b.Typing.GetContact(), Typing: b.Typing.GetTyping()}
	case *linkpb.Item_Dropped:
		item.Body = broker.Dropped{Count: b.Dropped.GetCount()}
	default: // of a newer version: the numbers must go on
		item.Body = broker.Dropped{Count: 1}
	}
	return item, nil
}

func fromMessage(m *linkpb.Message) broker.MessageReceived {
	msg := broker.MessageReceived{ID: m.GetId(), From: m.GetFrom(), Body: m.GetBody()}
	if m.GetSentMs() != 0 {
		msg.Sent = time.UnixMilli(m.GetSentMs()).UTC()
	}
	return msg
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
