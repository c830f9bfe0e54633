package xmpp

import (
	"context"
	"fmt"
	"slices"

	"rollcall/domain/broker"
)

// askRoster asks for the roster, with the version we remember where the server
// knows versions, RFC 6121 section 2.6.
func (c *Conversation) askRoster() error {
	ver := ""
	if c.rosterVer {
		c.cached = c.c.rosters.get(c.rosterKey())
		ver = " ver=''"
		if c.cached != nil {
			ver = fmt.Sprintf(" ver='%s'", escape(c.cached.version))
		}
	}
	return c.stanza(context.Background(), fmt.Sprintf("<iq type='get' id='%s'><query xmlns='%s'%s/></iq>", rosterID, nsRoster, ver))
}

// rosterAnswer delivers the roster and tells the contacts that we are here. A
// server that has none gives an empty one.
func (c *Conversation) rosterAnswer(e *element) error {
	query := e.child(nsRoster, "query")
	var contacts []broker.Contact
	switch {
	case e.attr("type") == "error":
	case query == nil && c.cached != nil:
		contacts = c.cached.contacts
	case query != nil:
		contacts = c.readRoster(query)
	}
	c.cached = nil
	c.post(broker.RosterReceived{Contacts: contacts})
	if err := c.stanza(context.Background(), "<presence/>"); err != nil {
		return err
	}
	close(c.ready)
	return nil
}

func (c *Conversation) isReady() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

func (c *Conversation) readRoster(query *element) []broker.Contact {
	var contacts []broker.Contact
	for _, item := range query.children {
		if contact, ok := c.readContact(item); ok && item.attr("subscription") != "remove" {
			contacts = append(contacts, contact)
		}
	}
	if ver := query.attr("ver"); ver != "" && c.rosterVer {
		c.c.rosters.put(&cachedRoster{key: c.rosterKey(), version: ver, contacts: contacts})
	}
	return slices.Clone(contacts)
}

// readContact gives an item of the roster; the person's own address is not one.
func (c *Conversation) readContact(item *element) (broker.Contact, bool) {
	address, _ := splitAddress(item.attr("jid"))
	if !item.is(nsRoster, "item") || address == "" || address == c.bare {
		return broker.Contact{}, false
	}
	contact := broker.Contact{Address: address, Name: item.attr("name")}
	for _, group := range item.children {
		if group.is(nsRoster, "group") && group.text != "" {
			contact.Groups = append(contact.Groups, group.text)
		}
	}
	return contact, true
}

// rosterPush takes a change of the roster, RFC 6121 section 2.1.6.
func (c *Conversation) rosterPush(query *element) {
	for _, item := range query.children {
		contact, ok := c.readContact(item)
		if !ok {
			continue
		}
		removed := item.attr("subscription") == "remove"
		c.c.rosters.change(c.rosterKey(), query.attr("ver"), contact, removed)
		c.post(broker.RosterChanged{Contact: contact, Removed: removed})
	}
}

// rosterKey names the roster: the same account may mean another on another
// server.
func (c *Conversation) rosterKey() string { return c.bare + " " + c.o.address }
