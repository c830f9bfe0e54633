package xmpp

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"rollcall/domain/broker"
)

// outcome is what Send waits for.
type outcome struct {
	id    string
	count uint32     // our stanzas up to the message
	ping  string     // the ping behind the message, without stream management
	known chan error // takes one value
}

// Send sends a chat message, RFC 6121 section 5, and waits a little for the
// server's word on it. A server works a client's stanzas off in order (RFC 6120
// section 10.1): once it has answered what stands behind the message, it has
// taken the message, or refused it before. A refusal that comes later than that
// becomes a [broker.MessageReceived], see doc.go.
func (c *Conversation) Send(ctx context.Context, m broker.OutgoingMessage) error {
	if err := c.awaitUp(ctx); err != nil {
		return err
	}
	bare, _ := splitAddress(m.To)
	to, ok := parseAccount(bare, c.who.domain)
	if !ok {
		return &broker.SendError{Text: "the recipient is not an address of the form name@domain"}
	}
	text := fmt.Sprintf("<message type='chat' id='%s' to='%s'><body>%s</body></message>", escape(m.ID), escape(to.String()), escape(m.Body))
	wait, err := c.sendChecked(ctx, m.ID, text)
	if err != nil {
		return err
	}
	return c.awaitOutcome(ctx, wait)
}

// sendChecked writes a message and what the server will answer behind it.
func (c *Conversation) sendChecked(ctx context.Context, id, text string) (*outcome, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.out.add(text)
	wait, probe := c.expect(id)
	err := c.writeLocked(ctx, c.dueAck()+text+probe)
	if err == nil || c.out.keep { // kept: sent again with the resume
		return wait, nil
	}
	c.mu.Lock()
	c.settle(nil)
	c.mu.Unlock()
	return nil, err
}

// expect begins to wait for the outcome of the message sent now, and gives the
// probe to send behind it.
func (c *Conversation) expect(id string) (*outcome, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcome = &outcome{id: id, count: c.out.count, known: make(chan error, 1)}
	if c.sm.enabled {
		return c.outcome, askAck
	}
	c.outcome.ping = c.nextPing()
	ping := c.ping(c.outcome.ping)
	c.out.add(ping)
	return c.outcome, ping
}

func (c *Conversation) awaitOutcome(ctx context.Context, wait *outcome) error {
	patience := time.NewTimer(outcomePatience)
	defer patience.Stop()
	select {
	case err := <-wait.known:
		return err
	case <-patience.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	c.settle(nil)
	c.mu.Unlock()
	return <-wait.known
}

// settle tells Send, if it waits, what became of its message. The lock is held.
func (c *Conversation) settle(err error) {
	if c.outcome != nil {
		c.outcome.known <- err
		c.outcome = nil
	}
}

// handleMessage takes chat and normal messages, chat states and refusals of what
// we sent. Others are not for a person to read: headlines, rooms, carbons.
func (c *Conversation) handleMessage(e *element) error {
	from, _ := splitAddress(e.attr("from"))
	switch e.attr("type") {
	case "error":
		c.refused(e, from)
		return nil
	case "", "chat", "normal":
	default:
		return nil
	}
	if from == "" || from == c.bare {
		return nil
	}
	if typing, told := chatState(e); told {
		c.post(broker.TypingChanged{Contact: from, Typing: typing})
	}
	if body := e.childText(nsClient, "body"); body != "" {
		c.post(broker.MessageReceived{ID: e.attr("id"), From: from, Body: body, Sent: sentAt(e)})
	}
	return nil
}

// refused tells whoever sent a message that it was not delivered: Send, if it
// still waits, else the person.
func (c *Conversation) refused(e *element, to string) {
	why := e.child(nsClient, "error")
	text := cmp.Or(recipientTexts[why.condition(nsStanzas)], shorten(why.childText(nsStanzas, "text")), why.condition(nsStanzas), "refused by the server")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outcome != nil && c.outcome.id == e.attr("id") {
		c.settle(&broker.SendError{Text: text})
		return
	}
	c.enqueue(broker.MessageReceived{ID: e.attr("id"), From: to, Body: "(Your message was not delivered: " + text + ".)"})
}

// recipientTexts say what a refusal means to the person who wrote the message.
var recipientTexts = map[string]string{
	"service-unavailable":     "no such recipient, or not reachable now",
	"item-not-found":          "no such recipient",
	"recipient-unavailable":   "the recipient is not reachable now",
	"remote-server-not-found": "the recipient's server was not found",
	"remote-server-timeout":   "the recipient's server did not answer",
	"jid-malformed":           "the recipient is not an address",
}

// chatState gives whether the sender is typing, XEP-0085, and whether the message
// tells.
func chatState(e *element) (typing, told bool) {
	switch e.condition(nsStates) {
	case "composing":
		return true, true
	case "active", "paused", "inactive", "gone":
		return false, true
	}
	return false, false
}

// sentAt gives when a message that was kept for us was sent, XEP-0203.
func sentAt(e *element) time.Time {
	at, err := time.Parse(time.RFC3339, e.child(nsDelay, "delay").attr("stamp"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
