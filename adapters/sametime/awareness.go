package sametime

import (
	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// awarenessOpen asks for everybody's presence.
func (c *Conversation) awarenessOpen(ch *channel, _ *wire.ChannelAccept) error {
	c.mu.Lock()
	add := &wire.AwareAdd{IDs: make([]wire.AwareID, len(c.contacts))}
	for i, id := range c.contacts {
		add.IDs[i] = wire.AwareID{Kind: wire.AwareUser, ID: id}
	}
	c.mu.Unlock()
	return c.sendOn(ch, nil, add, &wire.AwareWatch{})
}

func (c *Conversation) aware(_ *channel, m wire.ServiceMessage) error {
	switch m := m.(type) {
	case *wire.AwareSnapshot:
		for i := range m.Entries {
			c.presence(&m.Entries[i])
		}
	case *wire.AwareUpdate:
		c.presence(&m.Entry)
	}
	return nil
}

// presence delivers how a contact is. Whom we did not ask for is nobody's business.
func (c *Conversation) presence(e *wire.AwareEntry) {
	if e.ID.Kind != wire.AwareUser || !c.knows(e.ID.ID) {
		return
	}
	p := broker.PresenceChanged{Contact: readable(e.ID.ID), Show: broker.ShowOffline}
	if e.Online {
		p.Show, p.Text = showOf(e.Status.Status), shorten(e.Status.Text)
	}
	c.events.put(p)
}

// awarenessLost tells that nobody's presence is known, and asks the server to say
// when it offers presence again.
func (c *Conversation) awarenessLost(_ *channel, why wire.Reason) error {
	c.logger.Warn("the server has taken presence away; everybody counts as offline until it is back", "reason", why)
	c.mu.Lock()
	contacts := c.contacts
	c.mu.Unlock()
	for _, id := range contacts {
		c.events.put(broker.PresenceChanged{Contact: readable(id), Show: broker.ShowOffline})
	}
	return c.write(&wire.SenseService{Service: wire.ServiceAwareness})
}

// shows are the states as the broker has them. What is not here is available: the
// person is there, in whatever state.
var shows = map[wire.Status]broker.Show{
	wire.StatusOffline: broker.ShowOffline,
	wire.StatusMeeting: broker.ShowBusy,
	wire.StatusIdle:    broker.ShowIdle,
	wire.StatusAway:    broker.ShowAway,
	wire.StatusBusy:    broker.ShowBusy,
}

func showOf(s wire.Status) broker.Show {
	if show, known := shows[s&^wire.StatusMobile]; known {
		return show
	}
	return broker.ShowAvailable
}

// statusOf gives the state for the server. The protocol has none for somebody who
// wants to seem offline and is not: that is away.
func statusOf(s broker.Show) wire.Status {
	switch s {
	case broker.ShowAway, broker.ShowOffline:
		return wire.StatusAway
	case broker.ShowBusy:
		return wire.StatusBusy
	case broker.ShowIdle:
		return wire.StatusIdle
	}
	return wire.StatusActive
}
