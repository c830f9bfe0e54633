package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/domain/broker"
)

// clientContacts are what a client knows of its person's contacts, so that it
// prints what is new, and not all of it after each restart of the server.
type clientContacts struct {
	mu     sync.Mutex
	roster map[string]clientContact // by address; nil until the first roster
	shows  map[string]broker.PresenceChanged
	// unsure are those of whom nothing was said since a new roster came: they are
	// offline if nothing will be. missing are those who are not in it: they may
	// follow, where they have changed.
	unsure, missing map[string]bool
	settle          *time.Timer
}

// quiet is how long nothing must have been said of anybody before those count as
// offline, or removed, of whom nothing was said.
const quiet = 2 * time.Second

// state prints news of the roster and of contacts, as far as it is news.
func (o *clientOutput) state(s broker.State) error {
	c := &o.contacts
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.unsure)+len(c.missing) > 0 {
		c.settle.Reset(quiet)
	}
	switch b := s.Body.(type) {
	case broker.RosterReceived:
		return o.roster(b)
	case broker.RosterChanged:
		return o.contact(clientContact(b.Contact), b.Removed)
	case broker.PresenceChanged:
		return o.presence(b)
	case broker.TypingChanged:
		return o.say(clientEvent{Event: "typing", Contact: b.Contact, Typing: &b.Typing}, "")
	}
	return nil
}

// roster prints the first roster as a whole, and of a later one what differs.
func (o *clientOutput) roster(r broker.RosterReceived) error {
	c := &o.contacts
	if c.roster == nil {
		return o.firstRoster(r)
	}
	c.missing = make(map[string]bool)
	for address := range c.roster {
		c.missing[address] = true
	}
	for _, contact := range r.Contacts {
		if err := o.contact(clientContact(contact), false); err != nil {
			return err
		}
	}
	c.doubt(o.settle)
	return nil
}

func (o *clientOutput) firstRoster(r broker.RosterReceived) error {
	c := &o.contacts
	c.roster, c.shows = make(map[string]clientContact), make(map[string]broker.PresenceChanged)
	e := clientEvent{Event: "roster", Contacts: []clientContact{}}
	var names []string
	for _, contact := range r.Contacts {
		c.roster[contact.Address] = clientContact(contact)
		e.Contacts = append(e.Contacts, clientContact(contact))
		names = append(names, contact.Address)
	}
	return o.say(e, "-- contacts: %s", name(strings.Join(names, " ")))
}

// contact prints a contact that is new, changed or removed.
func (o *clientOutput) contact(contact clientContact, removed bool) error {
	c := &o.contacts
	delete(c.missing, contact.Address)
	known, had := c.roster[contact.Address]
	switch {
	case removed && !had && c.roster != nil:
		return nil
	case removed:
		delete(c.roster, contact.Address)
		delete(c.shows, contact.Address)
		delete(c.unsure, contact.Address)
	case had && reflect.DeepEqual(known, contact):
		return nil
	case c.roster != nil:
		c.roster[contact.Address] = contact
	}
	return o.say(clientEvent{Event: "roster-changed", Contact: contact.Address, Name: contact.Name, Removed: removed}, "")
}

// presence prints how a contact is, unless that is known.
func (o *clientOutput) presence(p broker.PresenceChanged) error {
	c := &o.contacts
	delete(c.unsure, p.Contact)
	if known, ok := c.shows[p.Contact]; ok && known == p {
		return nil
	}
	if c.shows != nil {
		c.shows[p.Contact] = p
	}
	return o.say(clientEvent{Event: "presence", Contact: p.Contact, Show: p.Show.String(), Text: p.Text},
		"-- %s", strings.TrimRight(p.Contact+" is "+p.Show.String()+" "+p.Text, " "))
}

// doubt waits for what is said of those who are known not to be offline.
func (c *clientContacts) doubt(settle func()) {
	c.unsure = make(map[string]bool)
	for contact, p := range c.shows {
		if p.Show != broker.ShowOffline {
			c.unsure[contact] = true
		}
	}
	if c.settle == nil {
		c.settle = time.AfterFunc(quiet, settle)
	}
	c.settle.Reset(quiet)
}

// settle prints who turns out to be removed, or offline. What cannot be printed
// shows with the next item.
func (o *clientOutput) settle() {
	c := &o.contacts
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, address := range slices.Sorted(maps.Keys(c.missing)) {
		_ = o.contact(c.roster[address], true)
	}
	for _, contact := range slices.Sorted(maps.Keys(c.unsure)) {
		_ = o.presence(broker.PresenceChanged{Contact: contact, Show: broker.ShowOffline})
	}
}

// stop has nothing more be printed.
func (c *clientContacts) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsure, c.missing = nil, nil
	if c.settle != nil {
		c.settle.Stop()
	}
}
