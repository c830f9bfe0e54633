package sametime

import (
	"context"
	"crypto/tls"
	"net"

	"rollcall/adapters/internal/upstreamtls"
)

var tlsAdvice = upstreamtls.Advice{
	Refused:   "no TLS with the server",
	WrongName: "the certificate must be for the host of the service's address",
	Invalid:   "the server needs a valid certificate",
	NoTLS:     "the server does not speak TLS on this port; set tls=none",
}

// secure puts TLS on a connection. The server's certificate must be for the host.
func (o *options) secure(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	secured := tls.Client(conn, o.trust.Config(host))
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, tlsFailure(ctx, err)
	}
	return secured, nil
}

func tlsFailure(ctx context.Context, err error) error {
	if refusal := tlsAdvice.Refusal(err); refusal != nil {
		return refusal
	}
	return failure(ctx, "TLS handshake", err)
}
