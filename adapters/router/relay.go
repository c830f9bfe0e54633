package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/pires/go-proxyproto"

	"rollcall/adapters/internal/listen"
	"rollcall/adapters/internal/relay"
)

// RelayConfig says where [Relay] takes connections.
type RelayConfig struct {
	Dispatcher  string        // host:port
	DialTimeout time.Duration // default 5 s
	Linger      time.Duration // how long the second direction may go on after the first has ended; default 30 s
	Logger      *slog.Logger  // nil: slog.Default()
}

// ErrNotTCP tells that a connection has no TCP addresses to put into a PROXY
// protocol header.
var ErrNotTCP = errors.New("the connection is not a TCP connection")

// Relay gives the handler of a router that stands alone: it dials the
// dispatcher, writes a PROXY protocol v2 header, and relays bytes both ways. A
// dispatcher that cannot be reached closes the device's connection, and the
// device tries again.
func Relay(c RelayConfig) Handler {
	c.DialTimeout = cmp.Or(c.DialTimeout, 5*time.Second)
	c.Linger = cmp.Or(c.Linger, 30*time.Second)
	tally := listen.NewTally(cmp.Or(c.Logger, slog.Default()), listen.DefaultInterval)
	dialer := &net.Dialer{Timeout: c.DialTimeout}
	return func(ctx context.Context, conn net.Conn, peer string) {
		up, err := dial(ctx, dialer, c.Dispatcher, conn)
		if err != nil {
			if ctx.Err() == nil {
				tally.Add("cannot pass connections on to the dispatcher; is it running, and is its address right?", "error", err)
			}
			return
		}
		relay.Both(ctx, conn, up, c.Linger)
	}
}

// dial opens a connection to the dispatcher and tells it where device comes
// from.
func dial(ctx context.Context, dialer *net.Dialer, address string, device net.Conn) (net.Conn, error) {
	header := proxyproto.HeaderProxyFromAddrs(2, device.RemoteAddr(), device.LocalAddr())
	if !header.Command.IsProxy() {
		return nil, fmt.Errorf("%s: %w", device.RemoteAddr(), ErrNotTCP)
	}
	up, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	up.SetWriteDeadline(time.Now().Add(dialer.Timeout))
	if _, err := header.WriteTo(up); err != nil {
		up.Close()
		return nil, fmt.Errorf("write PROXY header: %w", err)
	}
	return up, nil
}
