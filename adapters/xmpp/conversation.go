package xmpp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"rollcall/domain/broker"
)

// Conversation is one session's own stream. One goroutine reads it; whoever has
// something to say writes it.
//
// Locks: writing is held over a write, mu never over any I/O or call to the sink,
// delivering over a call to the sink. They are taken in the order delivering,
// writing, mu.
type Conversation struct {
	c         *Connector
	o         *options
	who       jid
	creds     *credentials
	sink      broker.Sink
	full      string // our address with the resource
	bare      string // and without, as the server spells it
	rosterVer bool   // the server knows roster versions
	ready     chan struct{}
	done      chan struct{} // closed when the reader is gone
	cause     error         // why; to be read when done is closed

	// The reader's own.
	reader   *streamReader
	contacts presences
	cached   *cachedRoster // what we asked with; nil after the answer

	writing sync.Mutex
	conn    net.Conn // changed under both locks
	out     outgoing

	delivering sync.Mutex

	mu      sync.Mutex
	sm      management
	over    bool          // logged out or abandoned: nothing is delivered any more
	ended   bool          // the reader is on its way out
	broken  error         // why we closed the connection ourselves
	down    chan struct{} // closed when a broken stream is up again; nil while it is up
	heardAt time.Time     // when the server last said something complete
	asked   bool          // a ping is under way
	alive   *time.Timer
	ack     *time.Timer
	stop    func() // ends the attempts to take up a broken stream; nil before the first
	seq     uint64 // of the last event
	message uint64 // of the last message among the events
	backlog []broker.UpstreamEvent
	busy    bool     // the sink is being called
	outcome *outcome // of the message that Send waits for
	beacon  uint64   // numbers our pings
}

var _ broker.Conversation = (*Conversation)(nil)

// errOver tells that the conversation has ended.
var errOver = errors.New("the conversation with the server is over")

// take makes a negotiated connection the conversation's.
func (c *Conversation) take(n *negotiation) {
	c.reader = n.reader
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.heardAt, c.asked = n.conn, time.Now(), false
	c.alive = time.AfterFunc(quietBeforePing, c.checkAlive)
}

// write sends text, with an acknowledgement in front if one is due. A write that
// fails ends the connection, once the reader has what the server had sent by then.
func (c *Conversation) write(ctx context.Context, text string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.writeLocked(ctx, c.dueAck()+text)
}

func (c *Conversation) writeLocked(ctx context.Context, text string) error {
	if err := c.whyBroken(); err != nil { // a part of something may have been written
		return err
	}
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = time.Now().Add(writePatience)
	}
	_ = c.conn.SetWriteDeadline(deadline) // the write tells if the connection is gone
	if _, err := c.conn.Write([]byte(text)); err != nil {
		err = failure(ctx, "write to the server", err)
		c.drain(err)
		return err
	}
	return nil
}

func (c *Conversation) whyBroken() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// drain gives up a connection that cannot be written to any more. What the server
// has sent is still read: one that has died does not send it again.
func (c *Conversation) drain(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = why
		_ = c.conn.SetReadDeadline(time.Now().Add(drainPatience)) // a read tells if the connection is gone
	}
}

// breakOff closes the connection; its reader then ends for that reason.
func (c *Conversation) breakOff(why error) {
	c.mu.Lock()
	c.broken = cmp.Or(c.broken, why)
	conn := c.conn
	c.mu.Unlock()
	conn.Close()
}

// stanza sends a stanza that stream management counts.
func (c *Conversation) stanza(ctx context.Context, text string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.out.add(text) {
		text += askAck
	}
	return c.writeLocked(ctx, c.dueAck()+text)
}

// SetPresence tells the contacts how the person is, RFC 6121 section 4.
func (c *Conversation) SetPresence(ctx context.Context, p broker.OwnPresence) error {
	if err := c.awaitUp(ctx); err != nil {
		return err
	}
	return c.stanza(ctx, presenceStanza(p))
}

// awaitUp waits while a broken stream is being taken up again.
func (c *Conversation) awaitUp(ctx context.Context) error {
	c.mu.Lock()
	down, over := c.down, c.over
	c.mu.Unlock()
	if over {
		return errOver
	}
	if down == nil {
		down = closedChannel
	}
	select {
	case <-c.done:
		return fmt.Errorf("%w: %w", errOver, c.cause)
	default:
	}
	select {
	case <-down:
		return nil
	case <-c.done:
		return fmt.Errorf("%w: %w", errOver, c.cause)
	case <-ctx.Done():
		return &broker.SendError{Text: "the connection to the server is being restored; try again"}
	}
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Logout ends the stream in the proper way: it tells the contacts, closes our
// direction and waits a little for the server to close its own.
func (c *Conversation) Logout(ctx context.Context) error {
	c.mu.Lock()
	again := c.over
	c.over = true
	up := c.down == nil
	c.mu.Unlock()
	var err error
	if !again && up && !c.isDone() {
		err = c.farewell(ctx)
	}
	c.abandon()
	select {
	case <-c.done:
		c.delivering.Lock() // a call to the sink that is under way ends first
		defer c.delivering.Unlock()
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for the sink to return: %w", ctx.Err())
	}
}

func (c *Conversation) farewell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, partingPatience)
	defer cancel()
	if err := c.write(ctx, "<presence type='unavailable'/></stream:stream>"); err != nil {
		return err
	}
	select {
	case <-c.done:
	case <-ctx.Done(): // the server is slow to close; we need not wait for it
	}
	return nil
}

func (c *Conversation) isDone() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// abandon closes whatever is open; the sink is not called any more.
func (c *Conversation) abandon() {
	c.mu.Lock()
	c.over = true
	stop := c.stop
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	c.breakOff(errLoggedOut)
}
