package groupwise

import (
	"context"
	"crypto/tls"
	"net"

	"rollcall/adapters/internal/upstreamtls"
)

// tlsAdvice has pins in mind: these servers mostly sign their own certificates.
var tlsAdvice = upstreamtls.Advice{
	Refused:   "the server's certificate is refused",
	WrongName: "if the server is the right one, set server-name to a name in the certificate, or set pin-sha256",
	Invalid:   "the server needs a valid certificate; pin-sha256 takes one as it is",
}

// secure puts TLS on a connection; it speaks from the first byte.
func (o *options) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	secured := tls.Client(conn, o.tlsConfig())
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, tlsFailure(ctx, err)
	}
	return secured, nil
}

func (o *options) tlsConfig() *tls.Config {
	config := o.trust.Config(o.serverName)
	config.MinVersion = o.minTLS
	if o.minTLS < tls.VersionTLS12 {
		config.CipherSuites = oldSuites()
	}
	return config
}

// oldSuites are all there are: a server that needs an old version of TLS needs
// an old cipher too.
func oldSuites() []uint16 {
	var ids []uint16
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, suite.ID)
	}
	return ids
}

func tlsFailure(ctx context.Context, err error) error {
	if refusal := tlsAdvice.Refusal(err); refusal != nil {
		return refusal
	}
	return failure(ctx, "TLS handshake", err)
}
