package sametime

import (
	"cmp"
	"slices"

	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// storageOpen asks for the contact list: nothing else is read of what the person
// stores.
func (c *Conversation) storageOpen(ch *channel, _ *wire.ChannelAccept) error {
	return c.sendOn(ch, nil, &wire.StorageLoad{Request: 1, Key: wire.KeyContacts})
}

func (c *Conversation) stored(ch *channel, m wire.ServiceMessage) error {
	loaded, is := m.(*wire.StorageLoaded)
	if !is || c.isReady() {
		return nil
	}
	var list wire.ContactList
	if loaded.Result.Failed() {
		c.logger.Warn("the server does not give the contact list; the session goes on without", "reason", loaded.Result)
	}
	for _, item := range loaded.Items {
		var value wire.StringValue
		if err := wire.Unmarshal(item.Value, &value); item.Key == wire.KeyContacts && err == nil {
			list = wire.ParseContactList(value.Text)
		}
	}
	c.mu.Lock()
	c.drop(ch)
	c.mu.Unlock()
	if err := c.write(&wire.ChannelDestroy{Channel: ch.id, Reason: wire.Success}); err != nil {
		return err
	}
	return c.rosterKnown(list)
}

// storageLost goes on without a contact list.
func (c *Conversation) storageLost(_ *channel, why wire.Reason) error {
	if c.isReady() {
		return nil
	}
	c.logger.Warn("the server offers no storage; the session goes on without a contact list", "reason", why)
	return c.rosterKnown(wire.ContactList{})
}

func (c *Conversation) isReady() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// rosterKnown delivers the roster, and asks for presence.
func (c *Conversation) rosterKnown(list wire.ContactList) error {
	roster, ids := rosterOf(list, c.self.UserID)
	c.mu.Lock()
	c.contacts = ids
	c.mu.Unlock()
	c.events.put(broker.RosterReceived{Contacts: roster})
	close(c.ready)
	return c.openService(wire.ServiceAwareness)
}

// rosterOf gives the people of a contact list, each once, without the list's owner,
// and their user ids in order.
func rosterOf(list wire.ContactList, self string) (roster []broker.Contact, ids []string) {
	at := make(map[string]int)
	for _, g := range list.Groups {
		for _, u := range g.Users {
			if u.ID == self || u.ID == "" {
				continue
			}
			i, known := at[u.ID]
			if !known {
				i = len(roster)
				at[u.ID] = i
				ids = append(ids, u.ID)
				roster = append(roster, broker.Contact{Address: readable(u.ID), Name: readable(cmp.Or(u.Alias, u.Name, u.ID))})
			}
			if title := readable(g.Title); title != "" && !slices.Contains(roster[i].Groups, title) {
				roster[i].Groups = append(roster[i].Groups, title)
			}
		}
	}
	slices.Sort(ids)
	return roster, ids
}
