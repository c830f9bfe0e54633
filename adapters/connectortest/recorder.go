package connectortest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/domain/broker"
)

// recorder is a sink that keeps what it is given and notes what a connector must
// not do: overlap calls, leave gaps, or speak after the end.
type recorder struct {
	wait time.Duration

	mu      sync.Mutex
	events  []broker.UpstreamEvent
	seqs    []uint64
	faults  []string
	inside  int
	ended   string        // why nothing may follow any more; empty while it may
	changed chan struct{} // closed and replaced with every call
	gate    chan struct{} // while not nil, Deliver waits for it
	conv    broker.Conversation
	keeps   bool // nothing is acknowledged but by hand
}

func newRecorder(wait time.Duration) *recorder {
	return &recorder{wait: wait, changed: make(chan struct{})}
}

// Deliver implements [broker.Sink].
func (r *recorder) Deliver(seq uint64, e broker.UpstreamEvent) {
	gate := r.enter(seq, e)
	if gate != nil {
		<-gate
	}
	if conv := r.acknowledging(); conv != nil { // from within, as the broker does
		conv.Acknowledge(seq)
	}
	r.leave(seq, e)
}

// acknowledging gives the conversation, if it is known and to hear of what it has
// delivered.
func (r *recorder) acknowledging() broker.Conversation {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keeps {
		return nil
	}
	return r.conv
}

// join makes the recorder acknowledge what it has been given and what is to come.
func (r *recorder) join(conv broker.Conversation) {
	r.mu.Lock()
	r.conv = conv
	given := uint64(len(r.events))
	r.mu.Unlock()
	conv.Acknowledge(given)
	conv.Acknowledge(given / 2) // a number that does not rise changes nothing
}

// keep makes the recorder acknowledge nothing any more.
func (r *recorder) keep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keeps = true
}

func (r *recorder) enter(seq uint64, e broker.UpstreamEvent) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside++; r.inside > 1 {
		r.fault("Deliver(%d, %T) was called while another call was under way", seq, e)
	}
	if r.ended != "" {
		r.fault("Deliver(%d, %T) was called after %s", seq, e, r.ended)
	}
	r.announce()
	return r.gate
}

// awaitInside waits until a call is held by the gate.
func (r *recorder) awaitInside(t *testing.T) {
	t.Helper()
	late := time.NewTimer(r.wait)
	defer late.Stop()
	for {
		r.mu.Lock()
		inside, changed := r.inside, r.changed
		r.mu.Unlock()
		if inside > 0 {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("waited %v for the sink to be called", r.wait)
		}
	}
}

func (r *recorder) leave(seq uint64, e broker.UpstreamEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside--
	r.events, r.seqs = append(r.events, e), append(r.seqs, seq)
	if want := uint64(len(r.events)); seq != want {
		r.fault("Deliver(%d, %T): the sequence number should be %d", seq, e, want)
	}
	if _, closed := e.(broker.Closed); closed {
		r.ended = "Closed"
	}
	r.announce()
}

func (r *recorder) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// block makes Deliver wait until the function it gives is called.
func (r *recorder) block() (open func()) {
	gate := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gate = gate
	return sync.OnceFunc(func() {
		r.mu.Lock()
		r.gate = nil
		r.mu.Unlock()
		close(gate)
	})
}

// end notes that what has returned and that nothing may follow.
func (r *recorder) end(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside > 0 {
		r.fault("%s returned while Deliver was under way", what)
	}
	if r.ended == "" {
		r.ended = what
	}
}

func (r *recorder) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended == "Closed"
}

// snapshot gives the events so far and a channel that closes when that changes.
func (r *recorder) snapshot() ([]broker.UpstreamEvent, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events), r.changed
}

// await waits until the events so far satisfy done, and gives them.
func (r *recorder) await(t *testing.T, what string, done func([]broker.UpstreamEvent) bool) []broker.UpstreamEvent {
	t.Helper()
	late := time.NewTimer(r.wait)
	defer late.Stop()
	for {
		events, changed := r.snapshot()
		if done(events) {
			return events
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("waited %v for %s; got %d events: %+v", r.wait, what, len(events), events)
		}
	}
}

// checkEnd reports every fault of the conversation's whole life.
func (r *recorder) checkEnd(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		t.Error(f)
	}
	rosters := 0
	for i, e := range r.events {
		switch e.(type) {
		case broker.RosterReceived:
			rosters++
		case broker.PresenceChanged:
			if rosters == 0 {
				t.Errorf("event %d is a presence and no roster came before it", i+1)
			}
		}
	}
	if rosters > 1 {
		t.Errorf("the roster was delivered %d times, want once", rosters)
	}
}

// sees tells whether the last presence of p is show.
func sees(p Person, show broker.Show) func([]broker.UpstreamEvent) bool {
	return func(events []broker.UpstreamEvent) bool {
		for _, e := range slices.Backward(events) {
			if e, ok := e.(broker.PresenceChanged); ok && e.Contact == p.address() {
				return e.Show == show
			}
		}
		return false
	}
}

// messagesFrom gives the messages from p, in order.
func messagesFrom(p Person, events []broker.UpstreamEvent) []string {
	var bodies []string
	for _, e := range events {
		if m, ok := e.(broker.MessageReceived); ok && m.From == p.address() {
			bodies = append(bodies, m.Body)
		}
	}
	return bodies
}

func hasMessages(n int, p Person) func([]broker.UpstreamEvent) bool {
	return func(events []broker.UpstreamEvent) bool { return len(messagesFrom(p, events)) >= n }
}

func hasType[E broker.UpstreamEvent](events []broker.UpstreamEvent) bool {
	return slices.ContainsFunc(events, func(e broker.UpstreamEvent) bool { _, ok := e.(E); return ok })
}
