package broker_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"rollcall/domain/broker"
)

// heldInbox is an inbox in memory whose Put waits for hold, if there is one, and
// then fails with err, if there is one.
type heldInbox struct {
	*broker.MemoryInbox
	mu   sync.Mutex
	hold chan struct{}
	err  error
	puts int // that were begun
}

func newHeldInbox() *heldInbox { return &heldInbox{MemoryInbox: broker.NewMemoryInbox()} }

func (i *heldInbox) set(hold chan struct{}, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hold, i.err = hold, err
}

func (i *heldInbox) now() (hold chan struct{}, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hold, i.err
}

func (i *heldInbox) Put(ctx context.Context, id broker.MailboxID, l broker.Letter) (bool, error) {
	i.mu.Lock()
	i.puts++
	i.mu.Unlock()
	if hold, _ := i.now(); hold != nil {
		<-hold
	}
	if _, err := i.now(); err != nil {
		return false, err
	}
	return i.MemoryInbox.Put(ctx, id, l)
}

// waiting gives how many mailboxes there are, and how many letters in them.
func (i *heldInbox) waiting() (mailboxes, letters int) {
	for m := range i.Mailboxes(context.Background()) {
		mailboxes++
		letters += m.Waiting
	}
	return mailboxes, letters
}

// newHouseWith is newHouse with an inbox of its own, and what else is changed.
func newHouseWith(t *testing.T, change func(*broker.Config)) (*house, *heldInbox) {
	t.Helper()
	inbox := newHeldInbox()
	h := openOn(t, newMemory(), &upstream{}, func(c *broker.Config) {
		c.Inbox = inbox
		if change != nil {
			change(c)
		}
	})
	h.configure()
	return h, inbox
}

// again stops the broker and opens the next one on the same log and inbox.
func (h *house) again(inbox broker.Inbox, change func(*broker.Config)) *house {
	h.Helper()
	if err := h.Stop(h.Context()); err != nil {
		h.Fatal(err)
	}
	next := openOn(h.T, h.log, &upstream{}, func(c *broker.Config) {
		c.Inbox = inbox
		if change != nil {
			change(c)
		}
	})
	next.keys = h.keys
	return next
}

func openOn(t *testing.T, log *memory, up *upstream, change func(*broker.Config)) *house {
	t.Helper()
	c := broker.Config{Log: log, Connectors: []broker.Connector{up}, Connecting: 4, Logger: slog.New(slog.DiscardHandler)}
	change(&c)
	b, err := broker.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop(context.Background()) })
	return &house{T: t, Broker: b, log: log, up: up}
}

func (t *talk) isSafe() uint64 { t.mu.Lock(); defer t.mu.Unlock(); return t.safe }
