package sametime

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

// tlsConfig checks a server's certificate against the host's name and the
// authorities. Pins alone replace both checks; with a ca-file all must hold.
func (o *options) tlsConfig(host string) *tls.Config {
	config := &tls.Config{ServerName: host, RootCAs: o.roots, MinVersion: tls.VersionTLS12}
	if len(o.pins) > 0 {
		config.InsecureSkipVerify = o.roots == nil // then the pin is the check
		config.VerifyConnection = o.checkPin
	}
	return config
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

// secure puts TLS on a connection.
func (o *options) secure(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	secured := tls.Client(conn, o.tlsConfig(host))
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, tlsFailure(ctx, err)
	}
	return secured, nil
}

// tlsFailure says what to do about a certificate that was not taken, or about a
// server without TLS.
func tlsFailure(ctx context.Context, err error) error {
	var bad *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var noTLS tls.RecordHeaderError
	next := ""
	switch {
	case errors.Is(err, errPin):
		next = "check that nobody stands between, then set pin-sha256 anew"
	case errors.As(err, &unknown):
		next = "if the certificate is the right one, set ca-file or pin-sha256"
	case errors.As(err, &name):
		next = "the certificate must be for the host of the service's address"
	case errors.As(err, &bad):
		next = "the server needs a valid certificate"
	case errors.As(err, &noTLS):
		next = "the server does not speak TLS on this port; set tls=none"
	default:
		return failure(ctx, "TLS handshake", err)
	}
	return &broker.UpstreamError{
		Code: domain.RejectUpstreamUnreachable,
		Text: fmt.Sprintf("no TLS with the server: %v: %s", err, next),
		Err:  err,
	}
}
