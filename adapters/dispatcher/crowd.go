package dispatcher

import (
	"container/list"
	"net"
	"sync"
	"time"
)

// crowd holds what is open, up to a limit, and ends it. It is safe for
// concurrent use.
type crowd struct {
	limit int

	mu        sync.Mutex
	in        map[net.Conn]*list.Element // its place among the strangers, nil if it is none
	strangers *list.List                 // of net.Conn, the oldest in front
	ending    bool
	running   sync.WaitGroup
}

func newCrowd(limit int) *crowd {
	return &crowd{limit: limit, in: make(map[net.Conn]*list.Element), strangers: list.New()}
}

// startStranger is start for a connection that has yet to prove who it is. Where
// there is no room, the stranger that has been in for longest is closed.
func (c *crowd) startStranger(conn net.Conn, serve func()) bool {
	return c.run(conn, true, serve)
}

// start runs serve in a goroutine of its own and closes conn behind it. It gives
// false, and closes conn, if as many run already as may, or if drain has begun.
func (c *crowd) start(conn net.Conn, serve func()) bool {
	return c.run(conn, false, serve)
}

func (c *crowd) run(conn net.Conn, stranger bool, serve func()) bool {
	if !c.enter(conn, stranger) {
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

func (c *crowd) enter(conn net.Conn, stranger bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending || len(c.in) >= c.limit && !(stranger && c.makeRoom()) {
		return false
	}
	c.in[conn] = nil
	if stranger {
		c.in[conn] = c.strangers.PushBack(conn)
	}
	c.running.Add(1)
	return true
}

func (c *crowd) makeRoom() bool {
	oldest := c.strangers.Front()
	if oldest == nil {
		return false
	}
	conn := oldest.Value.(net.Conn)
	c.remove(conn)
	conn.Close()
	return true
}

// known tells that a connection is a stranger no longer. It gives false if it had
// to go meanwhile.
func (c *crowd) known(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, in := c.in[conn]
	if place != nil {
		c.strangers.Remove(place)
		c.in[conn] = nil
	}
	return in
}

func (c *crowd) remove(conn net.Conn) {
	if place := c.in[conn]; place != nil {
		c.strangers.Remove(place)
	}
	delete(c.in, conn)
}

func (c *crowd) leave(conn net.Conn) {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(conn)
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
