package xmpp

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// management is the state of stream management, XEP-0198, in the direction from
// the server to us. Counters wrap, as the protocol has it.
type management struct {
	enabled  bool
	id       string // to resume with; empty where the server does not let us
	received uint32 // stanzas so far
	told     uint32 // the last count that the server was told
	again    uint32 // stanzas that come a second time, after a resume
	held     []held // messages that are not safe with the broker yet
	done     uint64 // the latest event that is
}

// held is a message that the server shall keep: the count before its stanza, and
// the number of its event.
type held struct {
	before uint32
	seq    uint64
}

// maxHeld is how far acknowledgements may lag behind. Servers throw out a client
// that acknowledges nothing: the most patient of the known limits is 500.
const maxHeld = 400

// safe gives how many stanzas the server need not keep. What comes a second time
// is behind the messages that are held: their counts may be ahead of received.
func (m *management) safe() uint32 {
	for len(m.held) > 0 && int32(m.received-m.held[0].before) > maxHeld {
		m.held = m.held[1:]
	}
	if len(m.held) == 0 || int32(m.received-m.held[0].before) < 0 {
		return m.received
	}
	return m.held[0].before
}

// goBack has the server begin again behind the stanza from, which it was told
// was the last that is safe. What we have handled behind that comes again.
func (m *management) goBack(from uint32) {
	m.again += m.received - from
	m.received, m.told = from, from
}

// count counts a stanza that has been handled; before is the number of the last
// event in front of it. Only messages are kept for: presence and roster come
// again with the next login.
func (c *Conversation) count(before uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sm.enabled && c.message > max(before, c.sm.done) {
		c.sm.held = append(c.sm.held, held{before: c.sm.received, seq: c.message})
	}
	c.sm.received++
}

// repeated counts a stanza that we have handled before the stream broke: the
// server sends again what it was not told is safe.
func (c *Conversation) repeated() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sm.again == 0 {
		return false
	}
	c.sm.again--
	c.sm.received++
	return true
}

// Acknowledge tells that the events up to seq are safe. The server hears of it
// with the next thing we say, when it asks, or after a while.
func (c *Conversation) Acknowledge(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sm.done = max(c.sm.done, seq)
	for len(c.sm.held) > 0 && c.sm.held[0].seq <= seq {
		c.sm.held = c.sm.held[1:]
	}
	if len(c.sm.held) == 0 {
		c.sm.held = nil
	}
	if c.ack == nil && c.sm.enabled && c.sm.safe() != c.sm.told && !c.over {
		c.ack = time.AfterFunc(ackDelay, c.ackNow)
	}
}

func (c *Conversation) ackNow() {
	c.mu.Lock()
	stop := c.over || c.ended || c.down != nil
	c.ack = nil
	c.mu.Unlock()
	if !stop {
		_ = c.write(context.Background(), "") // a failure breaks the connection, and the reader says so
	}
}

// dueAck gives the acknowledgement to send now; empty where there is nothing new.
func (c *Conversation) dueAck() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.sm.enabled || c.sm.safe() == c.sm.told {
		return ""
	}
	return c.ackLocked()
}

func (c *Conversation) ackLocked() string {
	c.sm.told = c.sm.safe()
	if c.ack != nil {
		c.ack.Stop()
		c.ack = nil
	}
	return fmt.Sprintf("<a xmlns='%s' h='%d'/>", nsSM, c.sm.told)
}

// askAck asks the server what it has of ours.
const askAck = "<r xmlns='" + nsSM + "'/>"

// handleAckRequest answers the server's question at once, with what is safe.
func (c *Conversation) handleAckRequest(*element) error {
	c.mu.Lock()
	ack := c.ackLocked()
	c.mu.Unlock()
	_ = c.write(context.Background(), ack) // a failure breaks the connection, and the next read says so
	return nil
}

// handleAck takes the server's word on what it has of ours.
func (c *Conversation) handleAck(e *element) error {
	h, err := strconv.ParseUint(e.attr("h"), 10, 32)
	if err != nil {
		return &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the server acknowledged something that is no number"}
	}
	c.writing.Lock()
	c.out.acked(uint32(h))
	c.writing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outcome != nil && c.outcome.ping == "" && int32(uint32(h)-c.outcome.count) >= 0 {
		c.settle(nil)
	}
	return nil
}

// outgoing counts what we have sent and keeps, where the stream can be resumed,
// what the server has not acknowledged.
type outgoing struct {
	count uint32
	keep  bool     // the stream can be resumed
	kept  []string // the last stanzas
}

// The server is asked what it has once askAfter stanzas are kept. One that lets
// more than maxKept pile up cannot be resumed with.
const (
	askAfter = 16
	maxKept  = 500
)

// add counts a stanza. It tells whether to ask what the server has.
func (o *outgoing) add(stanza string) (ask bool) {
	o.count++
	if !o.keep {
		return false
	}
	if len(o.kept) == maxKept {
		o.keep, o.kept = false, nil
		return false
	}
	o.kept = append(o.kept, stanza)
	return len(o.kept)%askAfter == 0
}

// acked forgets what the server has.
func (o *outgoing) acked(h uint32) {
	left := int(int32(o.count - h))
	if left < 0 || left >= len(o.kept) {
		return // not of our counting, or nothing new
	}
	o.kept = o.kept[len(o.kept)-left:]
	if left == 0 {
		o.kept = nil
	}
}
