package dispatcher

import (
	"context"
	"errors"
	"net"
)

// Handler takes a device's connection over and returns when it is done with it.
// peer is the device's address, host:port, or "unknown". ctx ends when the
// dispatcher or the link stops.
type Handler = func(ctx context.Context, conn net.Conn, peer string)

// Local gives the service of a process that is the collaboration service
// itself. A dispatcher that has it as its default and no routes hands every
// connection on as it is, in memory: the device link reads the preamble anyway.
func Local(h Handler) Service { return local{h} }

type local struct{ handler Handler }

func (l local) take(ctx context.Context, conn net.Conn, start []byte, peer string) error {
	if len(start) > 0 {
		conn = &replay{Conn: conn, start: start}
	}
	l.handler(ctx, conn, peer)
	return nil
}

func (local) ready() error { return nil }

// replay is a connection whose first bytes have been read already.
type replay struct {
	net.Conn
	start []byte // until they are read again
}

func (c *replay) Read(p []byte) (int, error) {
	if len(c.start) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.start)
	c.start = c.start[n:]
	return n, nil
}

// CloseWrite passes a half-close on.
func (c *replay) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
