package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain/broker"
)

// rosterFirst relies on the recorder, which checks the order and the number when
// the case ends; it only has to bring about presence as well.
func rosterFirst(c *trial) {
	a, b := c.both()
	for _, s := range []*session{a, b} {
		s.sink.await(c.T, "the roster", hasType[broker.RosterReceived])
	}
}

func rosterHoldsContacts(c *trial) {
	me := c.login(c.People[0])
	events := me.sink.await(c.T, "the roster", hasType[broker.RosterReceived])
	i := slices.IndexFunc(events, func(e broker.UpstreamEvent) bool { _, ok := e.(broker.RosterReceived); return ok })
	names := make(map[string]string)
	for _, contact := range events[i].(broker.RosterReceived).Contacts {
		if _, twice := names[contact.Address]; twice {
			c.Errorf("the roster holds %s twice", contact.Address)
		}
		names[contact.Address] = contact.Name
	}
	for _, p := range c.People[1:] {
		name, there := names[p.address()]
		if !there || p.Name != "" && name != p.Name {
			c.Errorf("the roster holds %s as %q, there: %t; want %q", p.address(), name, there, p.Name)
		}
	}
	if _, there := names[me.person.address()]; there {
		c.Errorf("the roster of %s holds the person's own address", me.person.address())
	}
}

func messagesBothWays(c *trial) {
	const n = 20
	a, b := c.both()
	var want []string
	for i := range n {
		body := fmt.Sprintf("%d: ünï <&> 🙂 two\nlines", i)
		want = append(want, body)
		c.send(a, b.person, fmt.Sprintf("a%d", i), body)
		c.send(b, a.person, fmt.Sprintf("b%d", i), body)
	}
	c.received(b, a.person, want)
	c.received(a, b.person, want)
}

// received waits for as many messages as want has, and compares.
func (c *trial) received(s *session, from Person, want []string) {
	c.Helper()
	events := s.sink.await(c.T, "the messages from "+from.Account, hasMessages(len(want), from))
	if diff := cmp.Diff(want, messagesFrom(from, events)); diff != "" {
		c.Errorf("messages to %s from %s (-want +got):\n%s", s.person.Account, from.Account, diff)
	}
}

func messageArrives(c *trial) {
	to := c.login(c.People[0])
	from := c.People[1]
	if c.Arrive != nil {
		c.Arrive(c.T, from, to.person, "from outside")
	} else {
		c.send(c.login(from), to.person, "m1", "from outside")
	}
	c.received(to, from, []string{"from outside"})
}

func unknownRecipient(c *trial) {
	a, b := c.both()
	nobody := b.person
	nobody.Address = "nobody-of-that-name" + b.person.address()[len(localPart(b.person.address())):]
	err := c.trySend(a, nobody)
	if c.claims(RefusesUnknown) && err == nil {
		c.Errorf("Send(%s) = no error, want a *broker.SendError", nobody.Address)
	}
	c.send(a, b.person, "m2", "still here")
	c.received(b, a.person, []string{"still here"})
}

// trySend sends a message that may be refused with a *broker.SendError, and
// gives that.
func (c *trial) trySend(from *session, to Person) error {
	c.Helper()
	ctx, cancel := c.ctx()
	defer cancel()
	err := from.Send(ctx, broker.OutgoingMessage{ID: "try", To: to.address(), Body: "are you there?"})
	var refused *broker.SendError
	if err != nil && !errors.As(err, &refused) {
		c.Fatalf("Send(%s) = %v, want no error or a *broker.SendError", to.address(), err)
	}
	if refused != nil && refused.Text == "" {
		c.Errorf("Send(%s) was refused without a word", to.address())
	}
	return err
}

func absentRecipient(c *trial) {
	a, absent := c.login(c.People[0]), c.People[2]
	err := c.trySend(a, absent)
	if !c.claims(OfflineMessages) {
		if err == nil {
			c.Errorf("Send(%s, who is away) = no error, and the message is lost", absent.Account)
		}
		return
	}
	if err != nil {
		c.Errorf("Send(%s, who is away) = %v, want no error", absent.Account, err)
	}
	c.received(c.login(absent), a.person, []string{"are you there?"})
}

// blockedSink blocks one person's sink. What the server took must come through
// in order once the sink moves again, and others must not notice.
func blockedSink(c *trial) {
	const n = 64
	a, b := c.both()
	other := c.login(c.People[2])
	c.awaitEachOther(a, other)
	open := b.sink.block()
	defer open()
	var want []string
	sent := make(chan error, 1)
	go func() { // it may wait for the recipient
		defer close(sent)
		for i := range n {
			body := fmt.Sprint("message ", i)
			ctx, cancel := c.ctx()
			err := a.Send(ctx, broker.OutgoingMessage{ID: fmt.Sprint(i), To: b.person.address(), Body: body})
			cancel()
			var refused *broker.SendError
			switch {
			case err == nil:
				want = append(want, body)
			case !errors.As(err, &refused):
				sent <- err
				return
			}
		}
	}()
	if !c.claims(Receipts) {
		if err := <-sent; err != nil {
			c.Fatalf("Send to a blocked session = %v, want no error or a *broker.SendError", err)
		}
	}
	c.send(other, a.person, "x", "not blocked")
	c.received(a, other.person, []string{"not blocked"})
	open()
	if err := <-sent; err != nil {
		c.Fatalf("Send = %v, want no error or a *broker.SendError", err)
	}
	c.received(b, a.person, want)
}

// sentWhenAcknowledged gives up waiting once: nobody knows then, and the same
// message is sent again.
func sentWhenAcknowledged(c *trial) {
	a, b := c.both()
	open := b.sink.block()
	defer open()
	ctx, cancel := context.WithTimeout(context.Background(), c.Wait/50)
	defer cancel()
	m := broker.OutgoingMessage{ID: "m", To: b.person.address(), Body: "once"}
	if err := a.Send(ctx, m); !errors.Is(err, context.DeadlineExceeded) {
		c.Errorf("Send to a session that acknowledges nothing = %v, want the end of its context", err)
	}
	open()
	c.send(a, b.person, m.ID, m.Body)
	events := b.sink.await(c.T, "the message", hasMessages(1, a.person))
	for _, e := range events {
		if e, ok := e.(broker.MessageReceived); ok && e.ID != m.ID {
			c.Errorf("the message arrived with the ID %q, want %q as it was sent", e.ID, m.ID)
		}
	}
}

func presenceBothWays(c *trial) {
	a, b := c.both()
	for _, pair := range [][2]*session{{a, b}, {b, a}} {
		c.setPresence(pair[0], broker.OwnPresence{Show: broker.ShowBusy, Text: "in a meeting"})
		events := pair[1].sink.await(c.T, "presence busy", sees(pair[0].person, broker.ShowBusy))
		last := slices.IndexFunc(events, func(e broker.UpstreamEvent) bool {
			p, ok := e.(broker.PresenceChanged)
			return ok && p.Contact == pair[0].person.address() && p.Show == broker.ShowBusy
		})
		if got := events[last].(broker.PresenceChanged).Text; c.claims(PresenceText) && got != "in a meeting" {
			c.Errorf("presence text = %q, want %q", got, "in a meeting")
		}
	}
	c.setPresence(a, broker.OwnPresence{Show: broker.ShowAway})
	b.sink.await(c.T, "presence away", sees(a.person, broker.ShowAway))
	c.logout(a)
	b.sink.await(c.T, "presence offline", sees(a.person, broker.ShowOffline))
}

func (c *trial) setPresence(s *session, p broker.OwnPresence) {
	c.Helper()
	ctx, cancel := c.ctx()
	defer cancel()
	if err := s.SetPresence(ctx, p); err != nil {
		c.Fatalf("SetPresence(%v) = %v, want no error", p.Show, err)
	}
}

func typingArrives(c *trial) {
	a := c.login(c.People[0])
	for _, typing := range []bool{true, false} {
		c.Type(c.T, c.People[1], a.person, typing)
		want := broker.TypingChanged{Contact: c.People[1].address(), Typing: typing}
		a.sink.await(c.T, "typing", func(events []broker.UpstreamEvent) bool {
			return slices.ContainsFunc(events, func(e broker.UpstreamEvent) bool { return e == want })
		})
	}
}
