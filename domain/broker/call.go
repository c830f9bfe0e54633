package broker

import (
	"context"
	"sync"
	"time"
)

// call is the one call upstream that a session has under way, so that the end
// of the session can cut it short. It costs an idle session no context.
type call struct {
	mu     sync.Mutex
	gone   bool
	cancel context.CancelFunc // nil while no call is under way
	ended  chan struct{}      // closed at the end of the call; made by whoever waits for that
}

// begin gives the context for a call that may take d; done ends it.
func (c *call) begin(ctx context.Context, d time.Duration) (_ context.Context, done func()) {
	ctx, cancel := context.WithTimeout(ctx, d)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = cancel
	if c.gone {
		cancel()
	}
	return ctx, c.end
}

func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
	c.cancel = nil
	if c.ended != nil {
		close(c.ended)
		c.ended = nil
	}
}

// wait waits for the end of the call that is under way, or until ctx is done or
// enough is closed.
func (c *call) wait(ctx context.Context, enough <-chan struct{}) {
	c.mu.Lock()
	if c.cancel != nil && c.ended == nil {
		c.ended = make(chan struct{})
	}
	ended := c.ended
	c.mu.Unlock()
	if ended == nil {
		return
	}
	select {
	case <-ended:
	case <-ctx.Done():
	case <-enough:
	}
}

// giveUp cuts short the call under way, and every later one.
func (c *call) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.cancel != nil {
		c.cancel()
	}
}

func (c *call) givenUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}
