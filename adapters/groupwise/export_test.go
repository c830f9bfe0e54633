package groupwise

import (
	"context"
	"net"
)

// NewWithDial gives a connector that opens connections its own way.
func NewWithDial(dial func(context.Context, string, string) (net.Conn, error)) *Connector {
	return &Connector{dial}
}
