package groupwise

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"

	"rollcall/domain"
	"rollcall/domain/broker"
)

var errPin = errors.New("the certificate's public key is none of the pinned ones")

// secure puts TLS on a connection; it speaks from the first byte.
func (o *options) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	secured := tls.Client(conn, o.tlsConfig())
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, tlsFailure(ctx, err)
	}
	return secured, nil
}

// tlsConfig checks a server's certificate against its name and the authorities.
// Pins alone replace both checks: these servers mostly sign their own
// certificates. With a ca-file all must hold.
func (o *options) tlsConfig() *tls.Config {
	config := &tls.Config{ServerName: o.serverName, RootCAs: o.roots, MinVersion: o.minTLS}
	if o.minTLS < tls.VersionTLS12 {
		config.CipherSuites = oldSuites()
	}
	if len(o.pins) > 0 {
		config.InsecureSkipVerify = o.roots == nil // then the pin is the check
		config.VerifyConnection = o.checkPin
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

func (o *options) checkPin(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errPin
	}
	sum := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
	if !slices.Contains(o.pins, sum) {
		return errPin
	}
	return nil
}

// tlsFailure says what to do about a certificate that was not taken.
func tlsFailure(ctx context.Context, err error) error {
	var bad *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	next := ""
	switch {
	case errors.Is(err, errPin):
		next = "check that nobody stands between, then set pin-sha256 anew"
	case errors.As(err, &unknown):
		next = "if the certificate is the right one, set ca-file or pin-sha256"
	case errors.As(err, &name):
		next = "if the server is the right one, set server-name to a name in the certificate, or set pin-sha256"
	case errors.As(err, &bad):
		next = "the server needs a valid certificate; pin-sha256 takes one as it is"
	default:
		return failure(ctx, "TLS handshake", err)
	}
	return &broker.UpstreamError{
		Code: domain.RejectUpstreamUnreachable,
		Text: fmt.Sprintf("the server's certificate is refused: %v: %s", err, next),
		Err:  err,
	}
}
