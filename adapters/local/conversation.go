package local

import (
	"context"
	"errors"
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

// Send implements [broker.Conversation]. It returns when every session of the
// recipient has acknowledged the message; one that ends meanwhile is not waited
// for, as long as another has it. Sessions that sleep have it when the postman
// has. Where none of them has room for it the message is refused.
func (v *conversation) Send(ctx context.Context, m broker.OutgoingMessage) error {
	switch {
	case len(m.Body) > maxBody:
		return refuse("it is longer than %d KiB", maxBody/1024)
	case !utf8.ValidString(m.Body):
		return refuse("it is not UTF-8 text")
	}
	received := broker.MessageReceived{ID: m.ID, From: v.person.name, Body: m.Body, Sent: time.Now().UTC()}
	// In this order: a session that wakes meanwhile may get it twice, and tells
	// the two for one; the other way round it might not get it at all.
	kept, full, err := v.deposit(ctx, m.To, received)
	if err != nil {
		return err
	}
	receipt, err := v.post(m.To, received)
	if err != nil {
		return err
	}
	safe, refused, err := receipt.wait(ctx)
	if err == nil && !safe && !kept && !refused && !full {
		// Nobody is there; but they may have left because the broker stops, and the
		// postman tells.
		kept, full, err = v.deposit(ctx, m.To, received)
	}
	if err != nil {
		return err
	}
	return settle(ctx, safe || kept, refused || full, m.To)
}

// deposit has the postman keep a message; full tells that there was no room.
func (v *conversation) deposit(ctx context.Context, name string, m broker.MessageReceived) (kept, full bool, err error) {
	kept, err = v.connector.deposit(ctx, name, m)
	if errors.Is(err, broker.ErrInboxFull) {
		return kept, true, nil
	}
	return kept, false, err
}

// settle says what became of a message, by whether some of the recipient's sessions
// have it, and some had no room.
func settle(ctx context.Context, safe, full bool, to string) error {
	switch {
	case safe && full:
		<-ctx.Done() // it is too late to refuse it, and too early to say that all have it
		return ctx.Err()
	case full:
		return refuse("the server's disk is full; try again later")
	case !safe:
		return refuse("%s is not logged in", to)
	}
	return nil
}

// post puts a message into the queue of each of the recipient's sessions.
func (v *conversation) post(name string, m broker.MessageReceived) (*receipt, error) {
	c := v.connector
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.ended != nil {
		return nil, v.ended
	}
	to := c.people[name]
	switch {
	case c.told.find(name) == nil:
		return nil, refuse("there is no account %.80q", name)
	case to == nil:
		return newReceipt(0), nil
	case !to.hasRoom(len(m.Body)):
		return nil, refuse("%s has too many messages waiting; try again later", name)
	}
	receipt := newReceipt(len(to.sessions))
	to.put(letter{m, receipt})
	return receipt, nil
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

// Acknowledge implements [broker.Conversation]: the senders of what is safe go on.
func (v *conversation) Acknowledge(seq uint64) { v.queue.acknowledge(seq) }

// Logout implements [broker.Conversation].
func (v *conversation) Logout(ctx context.Context) error {
	v.connector.leave(v)
	return v.queue.stop(ctx)
}
