package device

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"rollcall/adapters/internal/listen"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// Config is what a [Server] works with. Devices and Key are needed; the others
// have defaults.
type Config struct {
	Devices broker.Devices
	// Key is the server's static key; enrolment strings hold its public half.
	Key Key
	// Logger takes what goes wrong on links; the default drops it.
	Logger *slog.Logger
	// HandshakeTimeout is how long a link may take until its opening is in; the
	// default is 10 s.
	HandshakeTimeout time.Duration
	// MaxHandshakes is how many handshakes may be under way at once, a quarter of
	// them from one address; more are asked to come back later. The default is
	// 1,024.
	MaxHandshakes int
	// Returns is how many of those may come back in a second; the default is 1,000.
	Returns int
	// HandshakePatience is after what time a handshake has to make room for a new
	// one where too many are under way; the default is 3 s.
	HandshakePatience time.Duration
	// WriteTimeout is how long a device may take to take a record, and to send
	// the rest of one that it has begun; the default is 15 s.
	WriteTimeout time.Duration
	// Linger is how long a link stays open after its last message, for the
	// device to close it; the default is 2 s.
	Linger time.Duration
}

// Server is the service's end of every device link. It is safe for concurrent
// use.
type Server struct {
	config   Config
	counters counters
	links    links
	lobby    *lobby        // of the handshakes under way
	comeBack atomic.Int64  // nanoseconds: what the broker last asked of a device, see [broker.ComeBack]
	tally    *listen.Tally // of what strangers can cause as often as they like
}

// NewServer gives a server that lets devices in to c.Devices.
func NewServer(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.HandshakeTimeout = or(c.HandshakeTimeout, 10*time.Second)
	c.MaxHandshakes = or(c.MaxHandshakes, 1024)
	c.Returns = or(c.Returns, 1000)
	c.HandshakePatience = or(c.HandshakePatience, 3*time.Second)
	c.WriteTimeout = or(c.WriteTimeout, defaultPatience)
	c.Linger = or(c.Linger, 2*time.Second)
	return &Server{
		config: c,
		links:  links{open: make(map[<-chan struct{}]*company)},
		lobby:  newLobby(c.MaxHandshakes, c.Returns, c.HandshakePatience),
		tally:  listen.NewTally(c.Logger, listen.DefaultInterval),
	}
}

func or[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}

// Serve handles one connection from its preamble to its end, and closes it. peer
// is the address that the device comes from. When ctx ends the link is closed.
func (s *Server) Serve(ctx context.Context, conn net.Conn, peer string) {
	defer conn.Close()
	s.counters.connections.Add(1)
	s.counters.open.Add(1)
	defer s.counters.open.Add(-1)
	keepAlive(conn)
	l := newLink(s, conn, peer)
	s.links.add(ctx, l)
	defer s.links.remove(ctx, l)
	serve, err := s.greet(l)
	if err != nil {
		s.refuse(l, err)
		return
	}
	serve(ctx)
}

// refusal is a kind of fault in which a link does not come about.
type refusal struct {
	is    error
	count func(*counters)
}

var errCrowded = errors.New("too many handshakes are under way")

var refusals = []refusal{
	{errCrowded, func(c *counters) { c.crowded.Add(1) }},
	{broker.ErrUnknownKey, func(c *counters) { c.unknownKey.Add(1) }},
	{domain.ErrDeviceRevoked, func(c *counters) { c.revoked.Add(1) }},
	{ErrPreamble, func(c *counters) { c.garbage.Add(1) }},
	{ErrHandshake, func(c *counters) { c.garbage.Add(1) }},
	{ErrRecord, func(c *counters) { c.garbage.Add(1) }},
	{ErrFrame, func(c *counters) { c.garbage.Add(1) }},
	{ErrMessage, func(c *counters) { c.garbage.Add(1) }},
}

// refuse counts a link that did not come about. It is logged at a low level: any
// stranger can cause it, as often as they like.
func (s *Server) refuse(l *link, err error) {
	s.config.Logger.Debug("device link refused", "peer", l.peer, "err", err)
	for _, r := range refusals {
		if errors.Is(err, r.is) {
			r.count(&s.counters)
			return
		}
	}
	var timeout net.Error
	switch {
	case errors.As(err, new(*VersionError)):
		s.counters.garbage.Add(1)
	case errors.As(err, &timeout) && timeout.Timeout():
		s.counters.timedOut.Add(1)
		l.reset()
	default:
		s.counters.left.Add(1)
	}
}
