package upstreamtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// Advice is what one connector says about a server whose certificate is not
// taken. Each text but the first is a next step.
type Advice struct {
	Refused   string // what it comes to: "the server's certificate is refused"
	WrongName string // the certificate is for another name
	Invalid   string // it has expired, or is unfit in another way
	NoTLS     string // the server does not speak TLS; empty: that is not told apart
}

// Refusal gives the upstream-unreachable error for a failed handshake, with a
// next step; nil where the certificate is not what it failed for.
func (a *Advice) Refusal(err error) *broker.UpstreamError {
	next := a.next(err)
	if next == "" {
		return nil
	}
	return &broker.UpstreamError{
		Code: domain.RejectUpstreamUnreachable,
		Text: fmt.Sprintf("%s: %v: %s", a.Refused, err, next),
		Err:  err,
	}
}

func (a *Advice) next(err error) string {
	var bad *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var noTLS tls.RecordHeaderError
	switch {
	case errors.Is(err, ErrPin):
		return "check that nobody stands between, then set pin-sha256 anew"
	case errors.As(err, &unknown):
		return "if the certificate is the right one, set ca-file or pin-sha256"
	case errors.As(err, &name):
		return a.WrongName
	case errors.As(err, &bad):
		return a.Invalid
	case errors.As(err, &noTLS):
		return a.NoTLS
	}
	return ""
}
