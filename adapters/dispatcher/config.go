package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Service takes the device connections of a token: a [Link], or what [Local]
// gives.
type Service interface {
	// take serves conn, from which start has been read already, and returns when
	// it is over. An error means that the service could not take it.
	take(ctx context.Context, conn net.Conn, start []byte, peer string) error
	// ready gives nil if the service would take a connection now.
	ready() error
}

// Config says where a dispatcher takes device connections.
type Config struct {
	// Routes says which service takes which token.
	Routes map[Token]Service
	// Default takes every other token; nil: such connections are closed.
	Default Service
	// Trusted are the addresses of the routers. Their connections have to begin
	// with a PROXY v2 header, which is believed.
	Trusted []netip.Prefix
	// Plain lets everybody else in without a PROXY header, for a dispatcher that
	// devices reach directly. Without it they are closed.
	Plain  bool
	Limits Limits
	Logger *slog.Logger // nil: slog.Default()
}

// Limits bound what a dispatcher takes on. A zero field means its default.
type Limits struct {
	Conns     int           // connections at the same time; default 25,000
	FirstRead time.Duration // for the PROXY header and the preamble; default 10 s
	Drain     time.Duration // how long connections get to end after ctx; default 10 s
}

// ErrNoService tells that a Config has nowhere to take connections.
var ErrNoService = errors.New("dispatcher: the configuration names no collaboration service; set Config.Default or Config.Routes")

func (l Limits) withDefaults() Limits {
	l.Conns = cmp.Or(l.Conns, 25_000)
	l.FirstRead = cmp.Or(l.FirstRead, 10*time.Second)
	l.Drain = cmp.Or(l.Drain, 10*time.Second)
	return l
}

func (c Config) trusts(conn net.Conn) bool {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, p := range c.Trusted {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
