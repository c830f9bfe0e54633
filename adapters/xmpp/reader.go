package xmpp

import (
	"context"
	"encoding/xml"
	"errors"
	"time"

	"rollcall/domain/broker"
)

// handlers have one entry for each element that may stand on the top level of a
// stream. What is not here is ignored, as RFC 6120 section 8.4 has it.
var handlers map[xml.Name]func(*Conversation, *element) error

func init() { // the handlers lead back here
	handlers = map[xml.Name]func(*Conversation, *element) error{
		{Space: nsClient, Local: "message"}:  (*Conversation).handleMessage,
		{Space: nsClient, Local: "presence"}: (*Conversation).handlePresence,
		{Space: nsClient, Local: "iq"}:       (*Conversation).handleIQ,
		{Space: nsStream, Local: "error"}:    (*Conversation).handleStreamError,
		{Space: nsSM, Local: "r"}:            (*Conversation).handleAckRequest,
		{Space: nsSM, Local: "a"}:            (*Conversation).handleAck,
	}
}

// run begins to work the stream off. There is always one goroutine that does, and
// a new one for each wait: one that has decoded a stanza has a stack of several
// times the size.
func (c *Conversation) run() { c.workOff(c.askRoster()) }

// await waits for the server to say something.
func (c *Conversation) await() {
	c.reader.in.await(c.heard)
	c.workOff(nil)
}

// workOff handles what has come, and has the rest awaited; or ends the
// conversation, once the stream has ended for good.
func (c *Conversation) workOff(err error) {
	for err == nil {
		if c.reader.in.isIdle() {
			go c.await()
			return
		}
		err = c.readNext()
		if c.resumable(err) {
			err = c.resume(err)
		}
	}
	c.conn.Close()
	c.finish(err)
}

// readNext handles the next element; or says why the connection has ended.
func (c *Conversation) readNext() error {
	e, err := c.reader.next(c.heard)
	if err != nil {
		return c.reason(err)
	}
	if err := c.handle(e); err != nil {
		return err
	}
	c.flush()
	return nil
}

func (c *Conversation) handle(e *element) error {
	handler := handlers[e.name]
	if handler == nil || e.name.Space == nsClient && c.repeated() {
		return nil
	}
	before := c.delivered()
	err := handler(c, e)
	if e.name.Space == nsClient {
		c.count(before)
	}
	return err
}

// reason gives the reason behind a read that failed: ours where we closed the
// connection.
func (c *Conversation) reason(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	return failure(context.Background(), "the connection to the server broke", err)
}

func (c *Conversation) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heardAt, c.asked = time.Now(), false
}

// finish ends the conversation: it stops the timers, lets go of who waits, and
// tells the sink unless we ended it ourselves.
func (c *Conversation) finish(err error) {
	c.mu.Lock()
	c.cause, c.ended = err, true
	c.alive.Stop()
	if c.ack != nil {
		c.ack.Stop()
	}
	select {
	case <-c.ready:
		c.enqueue(broker.Closed{Err: err})
	default: // Login gives the error
	}
	c.settle(errors.Join(errOver, err))
	c.mu.Unlock()
	c.flush()
	close(c.done)
}

// post queues an event for the sink.
func (c *Conversation) post(e broker.UpstreamEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enqueue(e)
}

// enqueue is post with the lock held.
func (c *Conversation) enqueue(e broker.UpstreamEvent) {
	c.seq++
	if _, is := e.(broker.MessageReceived); is {
		c.message = c.seq
	}
	c.backlog = append(c.backlog, e)
}

// delivered gives the number of the last event so far.
func (c *Conversation) delivered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// flush delivers what is queued. The server's answers are read when the sink has
// taken it: Send waits that long, too.
func (c *Conversation) flush() {
	c.delivering.Lock()
	defer c.delivering.Unlock()
	for {
		seq, e, ok := c.pop()
		if !ok {
			return
		}
		c.sink.Deliver(seq, e)
	}
}

func (c *Conversation) pop() (seq uint64, e broker.UpstreamEvent, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = false
	if c.over {
		c.backlog = nil
	}
	if len(c.backlog) == 0 {
		return 0, nil, false
	}
	seq = c.seq - uint64(len(c.backlog)) + 1
	e, c.backlog = c.backlog[0], c.backlog[1:]
	if len(c.backlog) == 0 {
		c.backlog = nil
	}
	c.busy = true
	return seq, e, true
}

func (c *Conversation) handleStreamError(e *element) error { return streamError(e) }
