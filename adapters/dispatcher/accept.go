package dispatcher

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/hashicorp/yamux"

	"rollcall/adapters/internal/listen"
)

// What an acceptor counts and logs, each kind once an interval.
const (
	tallyLinks     = "too many connections on the dispatcher port; let only dispatchers reach it"
	tallyHandshake = "closed a connection on the dispatcher port that did not come through the handshake"
	tallyPin       = "refused a dispatcher whose key is not allowed; if it is yours, allow its pin"
	tallyStreams   = "refused a device because too many are connected; raise the limit of streams"
	tallyHeader    = "closed a device stream that did not begin with a header"
)

// AcceptConfig says which dispatchers a collaboration service lets in, and who
// takes their devices.
type AcceptConfig struct {
	Identity *Identity
	Pins     []Pin   // of the dispatchers; with none every dispatcher is refused, and its pin logged
	Handler  Handler // takes one device; ctx ends with its link or with the acceptor
	Limits   AcceptLimits
	Logger   *slog.Logger // nil: slog.Default()
}

// AcceptLimits bound what an acceptor takes on. A zero field means its default.
type AcceptLimits struct {
	Conns   int           // links, and connections that may become one, of which the oldest make room; default 256
	Streams int           // devices over all links; default 25,000
	Drain   time.Duration // how long handlers get to end after ctx; default 10 s
}

// ErrNoHandler tells that an AcceptConfig lacks its handler.
var ErrNoHandler = errors.New("dispatcher: the configuration has no handler for devices; set AcceptConfig.Handler")

// Acceptor is the collaboration service's end of links. It is safe for
// concurrent use.
type Acceptor struct {
	config  AcceptConfig
	tls     *tls.Config
	log     *slog.Logger
	tally   *listen.Tally
	links   *crowd
	streams *crowd
}

// AcceptStats tells how an acceptor is doing.
type AcceptStats struct {
	Links   int               // connections on the port
	Devices int               // streams that are open
	Refused map[string]uint64 // connections and streams refused, by reason
}

// Accept gives an acceptor. It fails with [ErrNoIdentity] or [ErrNoHandler].
func Accept(c AcceptConfig) (*Acceptor, error) {
	if c.Identity == nil {
		return nil, ErrNoIdentity
	}
	if c.Handler == nil {
		return nil, ErrNoHandler
	}
	c.Limits.Drain = cmp.Or(c.Limits.Drain, 10*time.Second)
	log := cmp.Or(c.Logger, slog.Default())
	return &Acceptor{
		config:  c,
		tls:     tlsConfig(c.Identity, c.Pins),
		log:     log,
		tally:   listen.NewTally(log, listen.DefaultInterval),
		links:   newCrowd(cmp.Or(c.Limits.Conns, 256)),
		streams: newCrowd(cmp.Or(c.Limits.Streams, 25_000)),
	}, nil
}

// Serve takes links until ctx ends, then closes ln, waits for the handlers,
// closes after [AcceptLimits].Drain what they still hold, closes the links, and
// returns nil. An error means that ln was closed by somebody else. It is called
// once.
func (a *Acceptor) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := listen.Loop(ctx, ln, a.tally, func(conn net.Conn) {
		if !a.links.startStranger(conn, func() { a.serveLink(ctx, conn) }) {
			a.tally.Add(tallyLinks, "remote", conn.RemoteAddr().String())
		}
	})
	cancel()
	a.streams.drain(a.config.Limits.Drain)
	a.links.drain(0)
	a.tally.Flush()
	return err
}

// Stats gives the counts of this moment.
func (a *Acceptor) Stats() AcceptStats {
	return AcceptStats{Links: a.links.size(), Devices: a.streams.size(), Refused: a.tally.Totals()}
}

// serveLink lets one dispatcher in and takes its streams until the link ends.
func (a *Acceptor) serveLink(ctx context.Context, conn net.Conn) {
	remote := conn.RemoteAddr().String()
	secured, err := a.handshake(ctx, conn)
	if err != nil {
		a.refuse(ctx, remote, err)
		return
	}
	pin := pinOf(secured.ConnectionState().PeerCertificates[0])
	log := a.log.With("remote", remote, "pin", pin.String())
	mux, err := yamux.Server(&frameJoiner{Conn: secured}, muxConfig(log))
	if err != nil {
		log.Error("cannot start the link", "error", err)
		return
	}
	defer mux.Close()
	linkCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	log.Info("a dispatcher has linked up")
	err = a.takeStreams(linkCtx, mux)
	log.Info("a dispatcher's link has ended; its devices are out of coverage", "error", err)
}

// takeStreams gives each stream to the handler. When ctx ends it takes no new
// ones but leaves the link up: handlers may still have something to say.
func (a *Acceptor) takeStreams(ctx context.Context, mux *yamux.Session) error {
	for {
		opened, err := mux.AcceptStream()
		if err != nil {
			return err
		}
		s := newStream(opened, netip.AddrPort{})
		if !a.streams.start(s, func() { a.serveStream(ctx, s) }) && ctx.Err() == nil {
			a.tally.Add(tallyStreams)
		}
	}
}

func (a *Acceptor) serveStream(ctx context.Context, s *stream) {
	s.SetReadDeadline(time.Now().Add(handshakeTimeout))
	peer, err := readStreamHeader(s)
	if err != nil {
		if ctx.Err() == nil {
			a.tally.Add(tallyHeader, "error", err)
		}
		return
	}
	s.SetReadDeadline(time.Time{})
	s.peer = net.TCPAddrFromAddrPort(peer)
	a.config.Handler(ctx, s, peerText(peer))
}

// handshake proves to each end who the other is, and welcomes the dispatcher.
func (a *Acceptor) handshake(ctx context.Context, conn net.Conn) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secured := tls.Server(conn, a.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if !a.links.known(conn) {
		return nil, net.ErrClosed
	}
	secured.SetWriteDeadline(time.Now().Add(handshakeTimeout))
	if _, err := secured.Write([]byte{welcome}); err != nil {
		return nil, err
	}
	return secured, secured.SetWriteDeadline(time.Time{})
}

func (a *Acceptor) refuse(ctx context.Context, remote string, err error) {
	var mismatch *PinMismatchError
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &mismatch):
		a.tally.Add(tallyPin, "remote", remote, "pin", mismatch.Got.String())
	default:
		a.tally.Add(tallyHandshake, "remote", remote, "error", err)
	}
}
