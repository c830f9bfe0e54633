package groupwise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"rollcall/adapters/groupwise/wire"
	"rollcall/domain/broker"
)

// Conversation is one session's connection. One goroutine reads it; whoever has
// something to ask writes it.
//
// Locks: writing is held over a write, mu never over any I/O or call to the sink.
// They are taken in this order; the queue's own comes last.
type Conversation struct {
	o     *options
	conn  net.Conn
	queue queue
	done  chan struct{} // closed when the reader is gone
	cause error         // why; to be read when done is closed

	writing      sync.Mutex
	transactions uint32 // requests so far

	mu     sync.Mutex
	calls  map[uint32]answer // requests under way, by transaction
	ended  bool              // the reader is on its way out
	broken error             // why we closed the connection ourselves
	gone   string            // what the server said before it went

	people people
	talks  map[string]*talk // by the key of the GUID
	held   map[string]*held // events of people whose details are being fetched, by DN
	sent   *sent            // the message that Send waits for

	alive   *time.Timer
	heardAt time.Time // when the server last said something
	askedAt time.Time // when a ping went out; zero while none is under way
}

var _ broker.Conversation = (*Conversation)(nil)

// What ends a conversation from our side, and what it is afterwards.
var (
	errLoggedOut = errors.New("logged out")
	errOver      = errors.New("the conversation with the server is over")
)

func newConversation(conn net.Conn, o *options, sink broker.Sink) *Conversation {
	v := &Conversation{
		o: o, conn: conn, done: make(chan struct{}), calls: make(map[uint32]answer),
		people: newPeople(), talks: make(map[string]*talk), held: make(map[string]*held),
	}
	v.queue.init(sink)
	return v
}

// deliver lets the sink have what is there and what comes.
func (v *Conversation) deliver() { v.queue.begin() }

// Acknowledge does nothing: the protocol has no acknowledgements.
func (*Conversation) Acknowledge(uint64) {}

// Logout closes the connection, which is how a client signs off.
func (v *Conversation) Logout(ctx context.Context) error {
	v.abandon(errLoggedOut)
	select {
	case <-v.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return v.queue.stop(ctx)
}

// abandon closes the connection; the sink is not called any more.
func (v *Conversation) abandon(why error) {
	v.queue.drop()
	v.breakOff(why)
}

// breakOff closes the connection; its reader then ends for that reason.
func (v *Conversation) breakOff(why error) {
	v.mu.Lock()
	v.broken = cmp.Or(v.broken, why)
	v.mu.Unlock()
	v.conn.Close()
}

// over gives an error if the conversation has ended.
func (v *Conversation) over() error {
	select {
	case <-v.done:
		return fmt.Errorf("%w: %w", errOver, v.cause)
	default:
		return nil
	}
}

// SetPresence tells the contacts how the person is. No automatic answer is set:
// nobody asked for the text to be sent to people.
func (v *Conversation) SetPresence(ctx context.Context, p broker.OwnPresence) error {
	status, known := statuses[p.Show]
	if !known {
		return refused("%v is no presence", p.Show)
	}
	_, err := v.ask(ctx, wire.CommandSetStatus, wire.SetStatus{Status: status, Text: p.Text}.Fields())
	return v.sendError(err)
}

// sendError says what an error of a request means to whoever sends: a
// *[broker.SendError] unless the conversation is over.
func (v *Conversation) sendError(err error) error {
	var result *ResultError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &result):
		return refused("%s (%s)", result.Code.Meaning(), result.Code)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return refused("the server did not answer in time; it may have done it all the same")
	}
	return err
}
