package local

import (
	"context"
	"sync"

	"rollcall/domain/broker"
)

// receipt is what the sender of a message waits for: that every session of the
// recipient has the message safe, or is gone.
type receipt struct {
	mu     sync.Mutex
	open   int // sessions that have not said
	safe   int // sessions that have it
	full   int // sessions that had no room for it
	closed chan struct{}
}

func newReceipt(sessions int) *receipt {
	r := &receipt{open: sessions, closed: make(chan struct{})}
	if sessions == 0 {
		close(r.closed)
	}
	return r
}

// settle notes that one session has the message safe, or never will.
func (r *receipt) settle(safe bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if safe {
		r.safe++
	}
	r.close()
}

// refuse notes that one session has no room for the message.
func (r *receipt) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full++
	r.close()
}

func (r *receipt) close() {
	if r.open--; r.open == 0 {
		close(r.closed)
	}
}

// wait waits until all have said, and tells whether one of them has the message,
// and whether one had no room for it.
func (r *receipt) wait(ctx context.Context) (safe, full bool, err error) {
	select {
	case <-r.closed:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.safe > 0, r.full > 0, nil
	case <-ctx.Done():
		return false, false, ctx.Err()
	}
}

// letter is a message on its way to one session.
type letter struct {
	broker.MessageReceived
	receipt *receipt
}

// handed is a letter that the sink was given, and whose number has not been
// acknowledged.
type handed struct {
	seq     uint64
	receipt *receipt
}
