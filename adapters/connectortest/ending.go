package connectortest

import (
	"context"
	"errors"
	"slices"

	"rollcall/domain/broker"
)

// logoutTwice also sends to the session that is gone; the recorder reports
// whatever still comes.
func logoutTwice(c *trial) {
	a, b := c.both()
	c.logout(a)
	c.trySend(b, a.person)
	c.logout(a)
	if events, _ := a.sink.snapshot(); hasType[broker.Closed](events) {
		c.Error("Logout was followed by Closed")
	}
	again := c.login(a.person)
	c.awaitEachOther(again, b)
	c.send(b, again.person, "m", "welcome back")
	again.sink.await(c.T, "the message after logging in again", func(events []broker.UpstreamEvent) bool {
		return slices.Contains(messagesFrom(b.person, events), "welcome back")
	})
}

// logoutWhileBlocked logs out while the sink is held. Logout must not say that
// all is over, and must not wait for ever either.
func logoutWhileBlocked(c *trial) {
	a, b := c.both()
	open := b.sink.block()
	defer open()
	sent := c.sendBehind(a, b.person, "m", "stuck")
	b.sink.awaitInside(c.T)
	ctx, cancel := context.WithTimeout(context.Background(), c.Wait/20)
	defer cancel()
	if err := b.Logout(ctx); err == nil {
		c.Error("Logout = no error while the sink is still being called, want the end of its context")
	}
	open()
	c.logout(b)
	var refused *broker.SendError
	if err := <-sent; err != nil && !errors.As(err, &refused) {
		c.Errorf("Send to who logged out = %v, want no error or a *broker.SendError", err)
	}
}

// serverGoesAway takes the server away; that Closed comes once and last is the
// recorder's to check.
func serverGoesAway(c *trial) {
	a, b := c.both()
	c.Stop(c.T)
	back := func() { c.Start(c.T) }
	defer func() { back() }()
	for _, s := range []*session{a, b} {
		c.closed(s)
	}
	ctx, cancel := c.ctx()
	defer cancel()
	if _, err := c.try(ctx, c.Settings, c.People[2]); !isUpstreamError(err) {
		c.Errorf("Login while the server is away = %v, want a *broker.UpstreamError", err)
	}
	c.Start(c.T)
	back = func() {}
	a, b = c.both()
	c.send(a, b.person, "m", "the server is back")
	c.received(b, a.person, []string{"the server is back"})
}

func isUpstreamError(err error) bool {
	var e *broker.UpstreamError
	return errors.As(err, &e)
}

// closed waits until a conversation is over and checks that it says so.
func (c *trial) closed(s *session) {
	c.Helper()
	events := s.sink.await(c.T, "Closed for "+s.person.Account, hasType[broker.Closed])
	if last, ok := events[len(events)-1].(broker.Closed); !ok || last.Err == nil {
		c.Errorf("the last event of %s is %+v, want Closed with an error", s.person.Account, events[len(events)-1])
	}
	ctx, cancel := c.ctx()
	defer cancel()
	err := s.Send(ctx, broker.OutgoingMessage{ID: "late", To: c.People[2].address(), Body: "too late"})
	var refused *broker.SendError
	if err == nil || errors.As(err, &refused) {
		c.Errorf("Send after Closed = %v, want an error that is no *broker.SendError", err)
	}
	c.logout(s)
}

// ownConnection cuts what one session opened and asks whether another lives.
func ownConnection(c *trial) {
	relay := c.relay()
	a := c.loginAt(c.at(relay.address()), c.People[0])
	ofA := relay.connections()
	b := c.loginAt(c.at(relay.address()), c.People[1])
	if relay.connections() == ofA {
		c.Fatal("the second login opened no connection of its own")
	}
	other := c.login(c.People[2])
	c.awaitEachOther(b, other)
	relay.cutFirst(ofA)
	c.closed(a)
	c.send(b, other.person, "m1", "mine still works")
	c.received(other, b.person, []string{"mine still works"})
	c.send(other, b.person, "m2", "and back")
	c.received(b, other.person, []string{"and back"})
}

func redelivery(c *trial) {
	relay := c.relay()
	a := c.loginAt(c.at(relay.address()), c.People[0])
	a.sink.keep()
	b := c.login(c.People[1])
	c.awaitEachOther(a, b)
	c.send(b, a.person, "m1", "acknowledged")
	c.send(b, a.person, "m2", "not acknowledged")
	events := a.sink.await(c.T, "both messages", hasMessages(2, b.person))
	for i, e := range events {
		if m, ok := e.(broker.MessageReceived); ok && m.Body == "acknowledged" {
			a.Acknowledge(uint64(i + 1))
		}
	}
	c.send(a, b.person, "m3", "after the acknowledgement")
	c.received(b, a.person, []string{"after the acknowledgement"})
	relay.cutFirst(relay.connections())
	c.closed(a)
	c.received(c.login(a.person), b.person, []string{"not acknowledged"})
}
