package gwserver

import (
	"crypto/tls"
	"net"
	"sync"
	"time"

	"rollcall/adapters/groupwise/wire"
)

const (
	handshakeLimit = 10 * time.Second
	maxQueued      = 4096 // messages for one client
)

// session is one client's connection.
type session struct {
	server *Server
	number int
	raw    net.Conn
	conn   *tls.Conn
	user   *user // nil before the login; under the server's lock
	level  uint32

	mu      sync.Mutex
	queue   [][]byte // messages that wait to be written
	writing bool     // the goroutine is there
	last    bool     // to be closed when the queue is empty
	over    bool
}

func newSession(s *Server, number int, conn net.Conn) *session {
	c := &session{server: s, number: number, raw: conn}
	c.conn = tls.Server(conn, s.tls)
	return c
}

// run reads requests and answers them until the connection ends.
func (c *session) run() {
	defer c.stop()
	_ = c.raw.SetDeadline(time.Now().Add(handshakeLimit)) // the handshake tells if it fails
	if c.conn.Handshake() != nil {
		return
	}
	_ = c.raw.SetDeadline(time.Time{})
	requests := wire.NewServerReader(tapped{c})
	for {
		if limit := c.server.config.IdleLimit; limit > 0 {
			_ = c.raw.SetReadDeadline(time.Now().Add(limit)) // the read tells
		}
		r, err := requests.Next()
		if err != nil {
			return
		}
		c.trace(r.String())
		if !c.server.handle(c, r) {
			return
		}
	}
}

// tapped shows what a client sends.
type tapped struct{ c *session }

func (t tapped) Read(b []byte) (int, error) {
	n, err := t.c.conn.Read(b)
	if tap := t.c.server.config.Tap; tap != nil && n > 0 {
		tap(t.c.number, b[:n])
	}
	return n, err
}

func (c *session) trace(line string) {
	if c.server.config.Trace != nil {
		c.server.config.Trace(c.number, line)
	}
}

// message is a response or an event.
type message interface {
	Append([]byte) []byte
	String() string
}

// put queues a message for the client; a client that takes nothing is cut off.
func (c *session) put(m message) {
	c.trace(m.String())
	c.putBytes(m.Append(nil))
}

func (c *session) putBytes(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	if len(c.queue) >= maxQueued {
		c.raw.Close()
		return
	}
	c.queue = append(c.queue, b)
	if !c.writing {
		c.writing = true
		c.server.running.Go(c.write)
	}
}

// write works the queue off. libpurple reads one message from each TLS record, so
// each message is a write of its own.
func (c *session) write() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.over {
			c.queue, c.writing = nil, false
			if c.last {
				c.raw.Close()
			}
			c.mu.Unlock()
			return
		}
		b := c.queue[0]
		c.queue = c.queue[1:]
		c.mu.Unlock()
		if c.writeShaped(b) != nil {
			c.raw.Close() // the reader sees to the rest
		}
	}
}

func (c *session) writeShaped(b []byte) error {
	shape := c.server.config.Writes
	for len(b) > 0 {
		n := len(b)
		if shape.Piece > 0 {
			n = min(n, shape.Piece)
		}
		_ = c.raw.SetWriteDeadline(time.Now().Add(c.server.config.WriteLimit)) // the write tells
		if _, err := c.conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		if len(b) > 0 {
			time.Sleep(shape.Pause)
		}
	}
	return nil
}

// stop takes the session out and closes its connection.
func (c *session) stop() {
	c.server.end(c)
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.raw.Close()
}

// hangUp closes the connection once what is queued has been written.
func (c *session) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last = true; !c.writing {
		c.raw.Close()
	}
}
