package router

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Handler takes a connection over and returns when it is done with it; the
// router closes it then, if it still is open. peer is the device's address,
// host:port. ctx ends when the router stops.
type Handler = func(ctx context.Context, conn net.Conn, peer string)

// Config says what a router does with the connections it accepts.
type Config struct {
	Handler Handler
	Limits  Limits
	Logger  *slog.Logger // nil: slog.Default()
}

// Limits bound what a router takes on. A zero field means its default; a
// negative number means no limit.
type Limits struct {
	Conns           int           // connections at the same time; default 20,000
	ConnsPerAddress int           // of them from one address; default 1,024
	Rate            float64       // new connections a second from one address; default 50
	Burst           int           // of them at once; default 500
	Addresses       int           // addresses remembered; default 65,536, never fewer than Conns
	FirstByte       time.Duration // how long a connection may be silent; default 10 s
	Drain           time.Duration // how long handlers get to end after ctx; default 10 s
	Exempt          []netip.Prefix
}

// ErrNoHandler tells that a Config lacks its handler.
var ErrNoHandler = errors.New("router: the configuration has no handler; set Config.Handler to the next part, or to Relay")

func (l Limits) withDefaults() Limits {
	l.Conns = cmp.Or(l.Conns, 20_000)
	l.ConnsPerAddress = cmp.Or(l.ConnsPerAddress, 1_024)
	l.Rate = cmp.Or(l.Rate, 50)
	l.Burst = cmp.Or(l.Burst, 500)
	l.Addresses = max(cmp.Or(l.Addresses, 65_536), l.Conns)
	l.FirstByte = cmp.Or(l.FirstByte, 10*time.Second)
	l.Drain = cmp.Or(l.Drain, 10*time.Second)
	return l
}
