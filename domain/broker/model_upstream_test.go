package broker_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// modelUpstream lets most people in, sooner or later. It keeps what was not
// acknowledged, and delivers that again at the next login.
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
	account := u.m.accounts[l.Account]
	t := &modelTalk{m: u.m, sink: sink, session: l.Session, account: account}
	t.hand(broker.RosterReceived{Contacts: []broker.Contact{{Address: "somebody"}}})
	account.enter(t)
	return t
}

// modelAccount is what a server has for one account: messages are numbered from 1,
// and the text of each is its number.
type modelAccount struct {
	name string

	// delivering is held while the conversation's sink is called, so that a
	// logout can wait for that.
	delivering sync.Mutex
	current    *modelTalk // nil while nobody is logged in

	mu   sync.Mutex
	last int          // the number of the latest message
	safe map[int]bool // those that were acknowledged
}

func (a *modelAccount) message(number int) broker.MessageReceived {
	return broker.MessageReceived{ID: strconv.Itoa(number), From: "somebody", Body: fmt.Sprint(a.name, " ", number)}
}

// enter makes t the conversation that gets messages, first those which nobody
// acknowledged.
func (a *modelAccount) enter(t *modelTalk) {
	a.delivering.Lock()
	defer a.delivering.Unlock()
	a.current = t
	for number := 1; number <= a.newest(); number++ {
		if !a.isSafe(number) {
			t.handMessage(number)
		}
	}
}

// write makes another message arrive.
func (a *modelAccount) write() {
	a.delivering.Lock()
	defer a.delivering.Unlock()
	a.mu.Lock()
	a.last++
	number := a.last
	a.mu.Unlock()
	if a.current != nil {
		a.current.handMessage(number)
	}
}

// tell delivers something else.
func (a *modelAccount) tell(e broker.UpstreamEvent) {
	a.delivering.Lock()
	defer a.delivering.Unlock()
	if a.current == nil {
		return
	}
	t := a.current
	if _, over := e.(broker.Closed); over {
		a.current = nil
	}
	t.hand(e)
}

func (a *modelAccount) leave(t *modelTalk) {
	a.delivering.Lock()
	defer a.delivering.Unlock()
	if a.current == t {
		a.current = nil
	}
}

func (a *modelAccount) newest() int { a.mu.Lock(); defer a.mu.Unlock(); return a.last }

func (a *modelAccount) isSafe(number int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.safe[number]
}

// modelTalk is a conversation that keeps the connector's promises, and notes
// what it is told.
type modelTalk struct {
	m       *model
	sink    broker.Sink
	session domain.SessionID
	account *modelAccount

	mu       sync.Mutex
	seq      uint64
	messages map[uint64]int // by the number of the event
	told     uint64         // acknowledged
	sent     map[string]int
	calls    int // under way
}

func (t *modelTalk) hand(e broker.UpstreamEvent) {
	t.mu.Lock()
	t.seq++
	seq := t.seq
	t.mu.Unlock()
	t.sink.Deliver(seq, e)
}

func (t *modelTalk) handMessage(number int) {
	t.mu.Lock()
	if t.messages == nil {
		t.messages = map[uint64]int{}
	}
	t.messages[t.seq+1] = number
	t.mu.Unlock()
	t.hand(t.account.message(number))
}

// call checks that the conversation is called by one goroutine at a time.
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

// Acknowledge looks for what it is told of in the inbox, or with the device.
func (t *modelTalk) Acknowledge(seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq > t.seq {
		t.m.Errorf("session %d: %d is acknowledged, of %d", t.session, seq, t.seq)
	}
	for ; t.told < seq; t.told++ {
		number, is := t.messages[t.told+1]
		if !is {
			continue
		}
		if !t.m.inbox.has(t.account.message(number)) {
			t.m.Errorf("session %d: message %d counts as safe and was never put", t.session, number)
		}
		t.account.mu.Lock()
		t.account.safe[number] = true
		t.account.mu.Unlock()
	}
}

func (t *modelTalk) Logout(context.Context) error {
	defer t.call()()
	t.account.leave(t)
	return nil
}
