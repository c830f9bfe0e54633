package local

import (
	"context"
	"time"
	"unicode/utf8"

	"rollcall/domain/broker"
)

const (
	maxBody         = 60 * 1024 // bytes; what a device can be sent in one record, with room to spare
	maxPresenceText = 1024
)

// conversation is one session. What is not the queue's is the connector's lock's.
type conversation struct {
	connector *Connector
	person    *person
	presence  broker.OwnPresence
	roster    bool
	ended     error // why the service ended it; nil while it has not
	queue     queue
}

var _ broker.Conversation = (*conversation)(nil)

// Send implements [broker.Conversation]. It never blocks.
func (v *conversation) Send(_ context.Context, m broker.OutgoingMessage) error {
	switch {
	case len(m.Body) > maxBody:
		return refuse("it is longer than %d KiB", maxBody/1024)
	case !utf8.ValidString(m.Body):
		return refuse("it is not UTF-8 text")
	}
	c := v.connector
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.ended != nil {
		return v.ended
	}
	to := c.people[m.To]
	switch {
	case c.told.find(m.To) == nil:
		return refuse("there is no account %.80q", m.To)
	case to == nil:
		return refuse("%s is not logged in", m.To)
	case !to.hasRoom(len(m.Body)):
		return refuse("%s has too many messages waiting; try again later", m.To)
	}
	to.put(broker.MessageReceived{ID: m.ID, From: v.person.name, Body: m.Body, Sent: time.Now().UTC()})
	return nil
}

// SetPresence implements [broker.Conversation]. The others see the presence that
// was set last by any of the person's sessions.
func (v *conversation) SetPresence(_ context.Context, p broker.OwnPresence) error {
	switch {
	case p.Show < broker.ShowOffline || p.Show > broker.ShowIdle:
		return refuse("%v is no presence", p.Show)
	case len(p.Text) > maxPresenceText || !utf8.ValidString(p.Text):
		return refuse("the text of a presence is UTF-8 of up to %d bytes", maxPresenceText)
	}
	c := v.connector
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.ended != nil {
		return v.ended
	}
	c.change(v.person, func() {
		if v.person.remove(v) {
			v.presence = p
			v.person.add(v)
		}
	})
	return nil
}

// Acknowledge does nothing: what has been delivered is not kept here.
func (v *conversation) Acknowledge(uint64) {}

// Logout implements [broker.Conversation].
func (v *conversation) Logout(ctx context.Context) error {
	v.connector.leave(v)
	return v.queue.stop(ctx)
}
