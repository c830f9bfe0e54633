package sametime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// Conversation is one session's own connection. One goroutine reads it; whoever
// has something to say writes it.
//
// Locks: writing is held over a write, mu never over any I/O, nor while an event
// is put in the queue. They are taken in the order writing, mu.
type Conversation struct {
	o      *options
	logger *slog.Logger
	conn   net.Conn
	frames *wire.FrameReader
	self   wire.LoginInfo
	events *queue
	ready  chan struct{} // closed when the roster is there
	done   chan struct{} // closed when the reader is gone
	cause  error         // why; written under mu, to be read there or when done is closed

	writing sync.Mutex

	mu       sync.Mutex
	over     bool  // logged out or abandoned
	broken   error // why we closed the connection ourselves
	wroteAt  time.Time
	alive    *time.Timer
	status   wire.UserStatus
	contacts []string // the user ids of the roster, in order
	channels map[uint32]*channel
	opened   uint32              // channels that we opened
	talks    map[string]*channel // on which a message to a user id, or to a conference, goes
	lookup   lookup
}

var _ broker.Conversation = (*Conversation)(nil)

// errOver tells that the conversation has ended.
var errOver = errors.New("the conversation with the server is over")

func newConversation(o *options, logger *slog.Logger, n *negotiation, sink broker.Sink) *Conversation {
	c := &Conversation{
		o: o, logger: logger, conn: n.conn, frames: n.frames, self: n.ack.Login,
		events: newQueue(sink), ready: make(chan struct{}), done: make(chan struct{}),
		wroteAt:  time.Now(),
		status:   wire.UserStatus{Status: wire.StatusActive},
		channels: make(map[uint32]*channel),
		talks:    make(map[string]*channel),
	}
	c.events.onFull = c.giveUpWaiting
	return c
}

// write sends messages in one go. A write that fails breaks the connection; the
// reader sees to the rest.
func (c *Conversation) write(messages ...wire.Message) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.writeLocked(messages...)
}

func (c *Conversation) writeLocked(messages ...wire.Message) error {
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = wire.Append(b, m); err != nil {
			return err
		}
	}
	return c.writeBytes(b)
}

func (c *Conversation) writeBytes(b []byte) error {
	now := time.Now()
	_ = c.conn.SetWriteDeadline(now.Add(writePatience)) // the write tells if the connection is gone
	if _, err := c.conn.Write(b); err != nil {
		err = failure(context.Background(), "write to the server", err)
		c.breakOff(err)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wroteAt = now
	return nil
}

// sendOn sends service messages on a channel, encrypted if its sides agreed on
// that.
func (c *Conversation) sendOn(ch *channel, encrypter *seal.Cipher, messages ...wire.ServiceMessage) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	sends := make([]wire.Message, len(messages))
	for i, m := range messages {
		data, err := wire.Marshal(m)
		if err != nil {
			return err
		}
		if encrypter != nil {
			data = encrypter.Encrypt(data)
		}
		sends[i] = &wire.ChannelSend{Channel: ch.id, Encrypted: encrypter != nil, Kind: m.Kind(), Data: data}
	}
	return c.writeLocked(sends...)
}

// keepAlive sends a sign of life if nothing else was sent for a while.
func (c *Conversation) keepAlive() {
	c.mu.Lock()
	quiet := time.Since(c.wroteAt)
	c.mu.Unlock()
	if quiet >= quietTime {
		quiet = 0
		c.writing.Lock()
		err := c.writeBytes([]byte{wire.KeepAlive})
		c.writing.Unlock()
		if err != nil {
			return // the reader ends
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over && c.cause == nil {
		c.alive.Reset(quietTime - quiet)
	}
}

// breakOff closes the connection; its reader then ends for that reason.
func (c *Conversation) breakOff(why error) {
	c.mu.Lock()
	c.broken = cmp.Or(c.broken, why)
	c.mu.Unlock()
	c.conn.Close()
}

// live gives an error where the conversation has ended.
func (c *Conversation) live() error {
	select {
	case <-c.done:
		return fmt.Errorf("%w: %w", errOver, c.cause)
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return errOver
	}
	return nil
}

// SetPresence tells the contacts how the person is.
func (c *Conversation) SetPresence(_ context.Context, p broker.OwnPresence) error {
	if err := c.live(); err != nil {
		return err
	}
	status := wire.UserStatus{Status: statusOf(p.Show), Text: shorten(p.Text)}
	c.mu.Lock()
	c.status = status
	c.mu.Unlock()
	return c.write(&wire.SetUserStatus{Status: status})
}

// Acknowledge does nothing: the protocol knows no acknowledgements.
func (*Conversation) Acknowledge(uint64) {}

// Logout tells the server and closes the connection.
func (c *Conversation) Logout(ctx context.Context) error {
	c.mu.Lock()
	again := c.over || c.cause != nil
	c.over = true
	c.mu.Unlock()
	var err error
	if !again {
		err = c.write(&wire.ChannelDestroy{Reason: wire.Success})
	}
	c.abandon()
	return errors.Join(err, c.settled(ctx))
}

// settled waits until nothing of the conversation runs any more.
func (c *Conversation) settled(ctx context.Context) error {
	if err := c.events.stop(ctx); err != nil {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// abandon closes the connection; nothing more is delivered.
func (c *Conversation) abandon() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.breakOff(errLoggedOut)
	c.events.quit()
}

// knows tells whether a user id is in the roster.
func (c *Conversation) knows(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, found := slices.BinarySearch(c.contacts, id)
	return found
}
