package xmpp

import (
	"context"
	"crypto/tls"
	"net"

	"rollcall/adapters/internal/upstreamtls"
)

var tlsAdvice = upstreamtls.Advice{
	Refused:   "the server's certificate is refused",
	WrongName: "the certificate must be for the domain of the account",
	Invalid:   "the server needs a valid certificate",
}

// tlsConfig checks a server's certificate against the domain of the account, not
// the name of the host that SRV look-up found (RFC 7590 section 3.4).
// Sessions share it: nobody changes it.
func (o *options) tlsConfig(domainName string) *tls.Config {
	if known, ok := o.configs.Load(domainName); ok {
		return known.(*tls.Config)
	}
	config := o.trust.Config(domainName)
	if o.mode == tlsDirect {
		config.NextProtos = []string{"xmpp-client"}
	}
	shared, _ := o.configs.LoadOrStore(domainName, config)
	return shared.(*tls.Config)
}

// secure puts TLS on a connection.
func (o *options) secure(ctx context.Context, conn net.Conn, domainName string) (*tls.Conn, error) {
	secured := tls.Client(conn, o.tlsConfig(domainName))
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
