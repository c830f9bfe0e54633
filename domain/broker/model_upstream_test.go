package broker_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// modelUpstream lets most people in, sooner or later.
type modelUpstream struct{ m *model }

func (modelUpstream) Kind() domain.Kind              { return domain.KindLocal }
func (modelUpstream) Total() domain.Optional[uint32] { return domain.Some(uint32(1000)) }
func (modelUpstream) Check(domain.Settings) error    { return nil }

func (u modelUpstream) Login(ctx context.Context, l broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	if u.m.isCalm() {
		return u.begin(l, sink), nil
	}
	select {
	case <-time.After(time.Duration(u.m.n(3000)) * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch what := u.m.n(100); {
	case what < 4:
		return nil, &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "no"}
	case what < 12:
		return nil, &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "no route"}
	case what < 16:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return u.begin(l, sink), nil
}

func (u modelUpstream) begin(l broker.UpstreamLogin, sink broker.Sink) broker.Conversation {
	m := u.m
	m.mu.Lock()
	t := &modelTalk{m: m, sink: sink, session: l.Session, life: m.life, index: len(m.talks)}
	m.talks = append(m.talks, t)
	m.mu.Unlock()
	t.deliver(broker.RosterReceived{})
	return t
}

// modelTalk is a conversation that keeps the connector's promises, and notes
// what it is told.
type modelTalk struct {
	m       *model
	sink    broker.Sink
	session domain.SessionID
	life    int // of the broker that opened it
	index   int

	// delivering is held while the sink is called, so that a logout can wait
	// for that.
	delivering sync.Mutex
	over       bool

	mu    sync.Mutex
	seq   uint64
	seqs  []uint64 // of the messages that were delivered
	seen  int      // how many of them the device saw, in order
	safe  uint64
	sent  map[string]int
	calls int // under way
}

// deliver hands in an event, or the next message where it is nil.
func (t *modelTalk) deliver(e broker.UpstreamEvent) {
	t.delivering.Lock()
	defer t.delivering.Unlock()
	if t.over {
		return
	}
	_, t.over = e.(broker.Closed)
	t.sink.Deliver(t.next(e))
}

// next numbers an event, or the next message where it is nil.
func (t *modelTalk) next(e broker.UpstreamEvent) (uint64, broker.UpstreamEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	if e == nil {
		t.seqs = append(t.seqs, t.seq)
		e = broker.MessageReceived{ID: fmt.Sprint(t.index), Body: fmt.Sprint(len(t.seqs))}
	}
	return t.seq, e
}

// saw takes that the device was given a message of this conversation.
func (t *modelTalk) saw(m broker.MessageReceived) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen++
	if m.Body != fmt.Sprint(t.seen) {
		t.m.Errorf("session %d: message %s arrived as number %d of its conversation", t.session, m.Body, t.seen)
		t.seen = -1 << 30
	}
}

// missed gives how many of the messages that seq says are safe the device has
// not seen.
func (t *modelTalk) missed(seq uint64) (n int) {
	for i, s := range t.seqs {
		if s <= seq && i >= t.seen {
			n++
		}
	}
	return n
}

func (t *modelTalk) allSeen() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen == len(t.seqs)
}

// call checks that the conversation is called by one goroutine at a time, and
// that it is not over.
func (t *modelTalk) call() (done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls++; t.calls > 1 {
		t.m.Errorf("session %d: the conversation is called by two at once", t.session)
	}
	return func() { t.mu.Lock(); defer t.mu.Unlock(); t.calls-- }
}

func (t *modelTalk) Send(ctx context.Context, msg broker.OutgoingMessage) error {
	defer t.call()()
	if !t.m.isCalm() {
		select {
		case <-time.After(time.Duration(t.m.n(200)) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if t.m.chance(5) {
			return &broker.SendError{Text: "no such recipient"}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sent == nil {
		t.sent = map[string]int{}
	}
	if t.sent[msg.ID]++; t.sent[msg.ID] > 1 {
		t.m.Errorf("session %d: message %s was sent twice in one life", t.session, msg.ID)
	}
	return nil
}

func (t *modelTalk) SetPresence(context.Context, broker.OwnPresence) error {
	defer t.call()()
	return nil
}

func (t *modelTalk) Acknowledge(seq uint64) {
	defer t.call()()
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq < t.safe || seq > t.seq {
		t.m.Errorf("session %d: %d is acknowledged after %d, of %d", t.session, seq, t.safe, t.seq)
	}
	if n := t.missed(seq); n > 0 {
		t.m.Errorf("session %d: %d messages count as safe that the device has not seen", t.session, n)
	}
	t.safe = seq
}

func (t *modelTalk) Logout(context.Context) error {
	defer t.call()()
	t.delivering.Lock()
	defer t.delivering.Unlock()
	t.over = true
	return nil
}
