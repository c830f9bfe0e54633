package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"sync"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// modelInbox outlives the brokers. A crash takes it away from the present one,
// with what that has asked it to forget last.
type modelInbox struct {
	*broker.MemoryInbox
	m *model

	mu        sync.Mutex
	put       map[broker.MessageReceived]bool // that ever were
	crashes   map[domain.DeviceID]int         // in which something was not forgotten
	forgetful map[broker.MailboxID]uint64     // what is not forgotten yet
}

func newModelInbox(m *model) *modelInbox {
	return &modelInbox{
		MemoryInbox: broker.NewMemoryInbox(), m: m, put: map[broker.MessageReceived]bool{},
		crashes: map[domain.DeviceID]int{}, forgetful: map[broker.MailboxID]uint64{},
	}
}

func (i *modelInbox) has(m broker.MessageReceived) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.put[m]
}

func (i *modelInbox) lost(id domain.DeviceID) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.crashes[id]
}

// crash loses what was to be forgotten.
func (i *modelInbox) crash() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for id := range i.forgetful {
		i.crashes[id.Device]++
	}
	clear(i.forgetful)
}

// settle forgets what is to be forgotten of a mailbox.
func (i *modelInbox) settle(id broker.MailboxID) {
	i.mu.Lock()
	number := i.forgetful[id]
	delete(i.forgetful, id)
	i.mu.Unlock()
	i.MemoryInbox.Forget(id, number)
}

// inboxOf is the inbox as one broker has it.
type inboxOf struct {
	*modelInbox
	mu  sync.Mutex
	off bool
}

var errGone = errors.New("the machine is gone")

func (i *inboxOf) cutOff() {
	i.mu.Lock()
	i.off = true
	i.mu.Unlock()
	i.crash()
}

func (i *inboxOf) gone() bool { i.mu.Lock(); defer i.mu.Unlock(); return i.off }

// modelSealer seals so that the device can tell for whom, and under which number.
type modelSealer struct{}

type modelSeal struct {
	Key     byte
	Number  uint64
	Message broker.MessageReceived
}

func (modelSealer) Seal(key [32]byte, number uint64, m broker.MessageReceived) ([]byte, error) {
	return json.Marshal(modelSeal{key[0], number, m})
}

func unsealed(sealed []byte) (s modelSeal) {
	if err := json.Unmarshal(sealed, &s); err != nil {
		panic(err)
	}
	return s
}

func (i *inboxOf) Put(ctx context.Context, id broker.MailboxID, l broker.Letter) (bool, error) {
	for range i.m.n(20) {
		runtime.Gosched()
	}
	if i.gone() && i.m.chance(50) {
		return false, errGone
	}
	i.settle(id)
	fresh, err := i.MemoryInbox.Put(ctx, id, l)
	i.modelInbox.mu.Lock()
	i.put[unsealed(l.Sealed).Message] = true
	i.modelInbox.mu.Unlock()
	if i.gone() {
		return false, errGone // though it is there
	}
	return fresh, err
}

func (i *inboxOf) Mailbox(ctx context.Context, id broker.MailboxID) (broker.Mailbox, error) {
	if i.gone() {
		return broker.Mailbox{}, errGone
	}
	i.settle(id)
	return i.MemoryInbox.Mailbox(ctx, id)
}

func (i *inboxOf) Letters(ctx context.Context, id broker.MailboxID, from uint64, limit int) ([]broker.Kept, error) {
	if i.gone() {
		return nil, errGone
	}
	return i.MemoryInbox.Letters(ctx, id, from, limit)
}

func (i *inboxOf) Forget(id broker.MailboxID, number uint64) {
	if i.gone() {
		return
	}
	i.modelInbox.mu.Lock()
	defer i.modelInbox.mu.Unlock()
	i.forgetful[id] = max(i.forgetful[id], number)
}

func (i *inboxOf) Answer(ctx context.Context, id broker.MailboxID, a broker.Answer) error {
	if i.gone() {
		return errGone
	}
	return i.MemoryInbox.Answer(ctx, id, a)
}

func (i *inboxOf) Drop(ctx context.Context, id broker.MailboxID) error {
	if i.gone() {
		return errGone
	}
	i.modelInbox.mu.Lock()
	delete(i.forgetful, id)
	i.modelInbox.mu.Unlock()
	return i.MemoryInbox.Drop(ctx, id)
}
