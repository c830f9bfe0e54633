package xmpp

import (
	"context"
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// rosterID is the id of our one request for the roster.
const rosterID = "roster"

// handleIQ answers requests and takes answers, RFC 6120 section 8.2.3.
func (c *Conversation) handleIQ(e *element) error {
	switch e.attr("type") {
	case "get", "set":
		return c.handleRequest(e)
	case "result", "error":
		if from, _ := splitAddress(e.attr("from")); from != "" && from != c.bare && from != c.who.domain {
			return nil // nobody else was asked
		}
		return c.handleAnswer(e)
	}
	return nil
}

func (c *Conversation) handleRequest(e *element) error {
	from, _ := splitAddress(e.attr("from"))
	kind, payload := e.attr("type"), ""
	switch {
	case kind == "set" && e.child(nsRoster, "query") != nil && (from == "" || from == c.bare):
		c.rosterPush(e.child(nsRoster, "query"))
	case kind == "get" && e.child(nsPing, "ping") != nil:
	default:
		payload = "<error type='cancel'><service-unavailable xmlns='" + nsStanzas + "'/></error>"
	}
	answer := "result"
	if payload != "" {
		answer = "error"
	}
	to := ""
	if e.attr("from") != "" {
		to = fmt.Sprintf(" to='%s'", escape(e.attr("from")))
	}
	// Where this fails the connection is broken, and the next read says so.
	_ = c.stanza(context.Background(), fmt.Sprintf("<iq type='%s' id='%s'%s>%s</iq>", answer, escape(e.attr("id")), to, payload))
	return nil
}

func (c *Conversation) handleAnswer(e *element) error {
	if e.attr("id") == rosterID && !c.isReady() {
		return c.rosterAnswer(e)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outcome != nil && c.outcome.ping == e.attr("id") && c.outcome.ping != "" {
		c.settle(nil)
	}
	return nil
}

// nextPing gives the id of a new ping. The lock is held.
func (c *Conversation) nextPing() string {
	c.beacon++
	return fmt.Sprintf("ping-%d", c.beacon)
}

// ping asks our own server for a sign of life, XEP-0199 section 4.2. A server
// that does not know it answers with an error, which serves as well.
func (c *Conversation) ping(id string) string {
	return fmt.Sprintf("<iq type='get' id='%s' to='%s'><ping xmlns='%s'/></iq>", id, escape(c.who.domain), nsPing)
}

// checkAlive runs on a timer: it pings a server that has been silent, and gives
// one up that stays so. While the sink holds the reader up, silence is ours.
func (c *Conversation) checkAlive() {
	c.mu.Lock()
	silent := time.Since(c.heardAt)
	dead := c.asked && silent >= quietBeforePing+pingPatience && !c.busy
	ask := !c.asked && silent >= quietBeforePing && !c.busy
	next := quietBeforePing - silent
	if ask || next <= 0 {
		next = pingPatience
	}
	c.asked = c.asked || ask
	id := c.nextPing()
	stop := c.over || c.ended || c.down != nil || dead
	if !stop {
		c.alive.Reset(next)
	}
	c.mu.Unlock()
	switch {
	case stop && dead:
		c.breakOff(&broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "the server has been silent for " + silent.Round(time.Second).String()})
	case ask && !stop:
		_ = c.stanza(context.Background(), c.ping(id)) // a failure breaks the connection, and the reader says so
	}
}
