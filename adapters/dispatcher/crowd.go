package dispatcher

import (
	"net"
	"sync"
	"time"
)

// crowd holds what is open, up to a limit, and ends it. It is safe for
// concurrent use.
type crowd struct {
	limit int

	mu      sync.Mutex
	in      map[net.Conn]struct{}
	ending  bool
	running sync.WaitGroup
}

func newCrowd(limit int) *crowd {
	return &crowd{limit: limit, in: make(map[net.Conn]struct{})}
}

// start runs serve in a goroutine of its own and closes conn behind it. It gives
// false, and closes conn, if as many run already as may, or if drain has begun.
func (c *crowd) start(conn net.Conn, serve func()) bool {
	if !c.enter(conn) {
		conn.Close()
		return false
	}
	go func() {
		defer c.running.Done()
		defer c.leave(conn)
		serve()
	}()
	return true
}

func (c *crowd) enter(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || len(c.in) >= c.limit {
		return false
	}
	c.in[conn] = struct{}{}
	c.running.Add(1)
	return true
}

func (c *crowd) leave(conn net.Conn) {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.in, conn)
}

// drain waits until nothing runs any more, and after limit closes what does.
func (c *crowd) drain(limit time.Duration) {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	defer time.AfterFunc(limit, c.closeAll).Stop()
	c.running.Wait()
}

func (c *crowd) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.in {
		go conn.Close() // a stream's may have to wait for its link
	}
}

func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.in)
}
