package xmpp

import (
	"context"
	"net"
)

// NewWith gives a connector that finds and dials servers as the test says.
func NewWith(srv func(service, name string) ([]*net.SRV, error), dial func(address string) (net.Conn, error)) *Connector {
	c := New()
	c.resolver = resolverFunc(srv)
	c.dial = func(_ context.Context, _, address string) (net.Conn, error) { return dial(address) }
	return c
}

type resolverFunc func(service, name string) ([]*net.SRV, error)

func (f resolverFunc) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	records, err := f(service, name)
	return "", records, err
}
