package sametime

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// handlers have one entry for each message that a server may send after the login.
// What is not here is ignored.
var handlers map[wire.Type]func(*Conversation, wire.Message) error

func init() { // the handlers lead back here
	handlers = map[wire.Type]func(*Conversation, wire.Message) error{
		wire.TypeChannelCreate:  (*Conversation).handleCreate,
		wire.TypeChannelAccept:  (*Conversation).handleAccept,
		wire.TypeChannelSend:    (*Conversation).handleSend,
		wire.TypeChannelDestroy: (*Conversation).handleDestroy,
		wire.TypeSenseService:   (*Conversation).handleSense,
		wire.TypeAdmin:          (*Conversation).handleAdmin,
		wire.TypeAnnounce:       (*Conversation).handleAnnounce,
	}
}

// run is the reader's goroutine: it works off what comes until the connection ends.
func (c *Conversation) run() {
	err := c.start()
	for err == nil {
		err = c.readOne()
	}
	c.finish(err)
}

// start tells that the person is there and asks for the contact list. What else is
// asked for follows from the answers.
func (c *Conversation) start() error {
	if err := c.write(&wire.SetUserStatus{Status: c.status}); err != nil {
		return err
	}
	return c.openService(wire.ServiceStorage)
}

// readOne reads a message and handles it. A frame that has begun must end in time.
func (c *Conversation) readOne() error {
	err := c.frames.Wait()
	if err == nil {
		err = c.readFrame()
	}
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	return failure(context.Background(), "the connection to the server broke", err)
}

func (c *Conversation) readFrame() error {
	select {
	case <-c.ready:
		_ = c.conn.SetReadDeadline(time.Now().Add(framePatience)) // the read tells if the connection is gone
		defer c.conn.SetReadDeadline(time.Time{})
	default: // the login's context sets the deadline
	}
	frame, err := c.frames.Next()
	if err != nil {
		return err
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return err
	}
	if handle := handlers[m.Type()]; handle != nil {
		return handle(c, m)
	}
	return nil
}

// finish ends the conversation: it lets go of who waits, and tells the sink unless
// we ended it ourselves.
func (c *Conversation) finish(err error) {
	c.conn.Close()
	c.mu.Lock()
	c.cause = err
	c.alive.Stop()
	for _, ch := range c.channels {
		ch.fail(fmt.Errorf("%w: %w", errOver, err))
	}
	over := c.over
	c.mu.Unlock()
	select {
	case <-c.ready:
		if !over {
			c.events.putLast(broker.Closed{Err: err})
		}
	default: // Login gives the error
	}
	close(c.done)
}

// handleSense opens a service again that had been taken away.
func (c *Conversation) handleSense(m wire.Message) error {
	if service := m.(*wire.SenseService).Service; service == wire.ServiceAwareness && !c.hasService(service) {
		return c.openService(service)
	}
	return nil
}

// handleAdmin delivers what the server's administrator tells everybody.
func (c *Conversation) handleAdmin(m wire.Message) error {
	c.say(c.server(), m.(*wire.Admin).Text)
	return nil
}

// handleAnnounce delivers what somebody tells many.
func (c *Conversation) handleAnnounce(m wire.Message) error {
	a := m.(*wire.Announce)
	from := c.server()
	if a.Sender != nil {
		from = a.Sender.UserID
	}
	c.say(from, a.Text)
	return nil
}

// server is whom the server's own words come from.
func (c *Conversation) server() string { return cmp.Or(c.self.Server, c.o.host) }

// maxBody is the most bytes of one message that are delivered together.
const maxBody = 48 << 10

// say delivers a text as a message from somebody.
func (c *Conversation) say(from, text string) {
	for piece := range pieces(readable(text), maxBody) {
		c.events.put(broker.MessageReceived{From: readable(from), Body: piece})
	}
}
