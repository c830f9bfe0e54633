package connectortest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// relay passes TCP connections on to the server, and cuts them when told to.
type relay struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	pairs [][2]net.Conn // in the order they came
}

// relay puts a relay in front of the server for the rest of the case.
func (c *trial) relay() *relay {
	c.Helper()
	r := &relay{listener: listen(c.T), target: c.Settings.Address}
	r.running.Go(r.accept)
	c.closers = append(c.closers, func() {
		r.listener.Close()
		r.cutFirst(r.connections())
		r.running.Wait()
	})
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.target)
		if err != nil {
			near.Close()
			continue
		}
		r.mu.Lock()
		r.pairs = append(r.pairs, [2]net.Conn{near, far})
		r.mu.Unlock()
		r.running.Go(func() { pipe(near, far) })
		r.running.Go(func() { pipe(far, near) })
	}
}

// pipe copies until one side ends, and then ends the other.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from) // a cut is what the relay is for
	to.Close()
	from.Close()
}

// connections gives how many connections have been taken so far.
func (r *relay) connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pairs)
}

// cutFirst closes the first n connections on both sides.
func (r *relay) cutFirst(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, pair := range r.pairs[:n] {
		pair[0].Close()
		pair[1].Close()
	}
}

// silent is a server that takes connections, reads, and never speaks.
type silent struct {
	listener  net.Listener
	running   sync.WaitGroup
	connected chan struct{} // closed when a client has connected
	hungUp    chan struct{} // closed when a client has hung up

	mu    sync.Mutex
	conns []net.Conn
}

func (c *trial) silent() *silent {
	c.Helper()
	s := &silent{listener: listen(c.T), connected: make(chan struct{}), hungUp: make(chan struct{})}
	s.running.Go(s.accept)
	c.closers = append(c.closers, s.close)
	return s
}

func (s *silent) address() string { return s.listener.Addr().String() }

func (s *silent) accept() {
	connected := sync.OnceFunc(func() { close(s.connected) })
	hungUp := sync.OnceFunc(func() { close(s.hungUp) })
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		connected()
		s.running.Go(func() {
			_, _ = io.Copy(io.Discard, conn) // until the client hangs up
			hungUp()
		})
	}
}

func (s *silent) close() {
	s.listener.Close()
	s.mu.Lock()
	for _, conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// unusedAddress gives an address where nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}
