package dispatcher

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// stream is a yamux stream that behaves as a TCP connection does: Close ends a
// Read that waits, errors are those of package net, and CloseWrite half-closes.
// It gives its receive buffer back with every small message, so that an idle
// stream holds none; a large transfer keeps its buffer until the next small one.
type stream struct {
	*yamux.Stream
	peer   net.Addr
	closed atomic.Bool
}

const smallRead = 512

func newStream(s *yamux.Stream, peer netip.AddrPort) *stream {
	return &stream{Stream: s, peer: net.TCPAddrFromAddrPort(peer)}
}

// RemoteAddr gives the device's address.
func (s *stream) RemoteAddr() net.Addr { return s.peer }

func (s *stream) Read(p []byte) (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	n, err := s.Stream.Read(p)
	if n <= smallRead {
		s.Stream.Shrink()
	}
	return n, s.translate(err)
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.Stream.Write(p)
	return n, s.translate(err)
}

// CloseWrite tells the other end that nothing more comes. Reading goes on.
func (s *stream) CloseWrite() error { return s.translate(s.Stream.Close()) }

// Close ends both directions, also for a Read or Write under way. What the other
// end still sends is thrown away.
func (s *stream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.Stream.SetDeadline(longAgo) // first: telling the other end may have to wait
	return s.Stream.Close()
}

// longAgo is the deadline of a closed stream.
var longAgo = time.Unix(1, 0)

// SetReadDeadline bounds Read. On a closed stream it changes nothing.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.Stream.SetReadDeadline(t)
	if s.closed.Load() {
		s.Stream.SetReadDeadline(longAgo)
		return net.ErrClosed
	}
	return nil
}

// SetWriteDeadline bounds Write. On a closed stream it changes nothing.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.Stream.SetWriteDeadline(t)
	if s.closed.Load() {
		s.Stream.SetWriteDeadline(longAgo)
		return net.ErrClosed
	}
	return nil
}

// SetDeadline bounds both.
func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *stream) translate(err error) error {
	switch {
	case err == nil:
		return nil
	case s.closed.Load(), errors.Is(err, yamux.ErrStreamClosed), errors.Is(err, yamux.ErrSessionShutdown):
		return net.ErrClosed
	case errors.Is(err, yamux.ErrTimeout):
		return os.ErrDeadlineExceeded
	}
	return err
}
