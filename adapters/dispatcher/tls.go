package dispatcher

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// protocol names what runs inside of TLS (ALPN, RFC 7301), so that two versions
// that do not understand each other part at the handshake.
const protocol = "rollcall-dispatch/1"

// welcome is the byte by which the service tells the dispatcher that it is in:
// in TLS 1.3 a client's handshake ends before the server has looked at its
// certificate.
const welcome = 1

// PinMismatchError tells that the other end of a link has a key that is not
// among those allowed.
type PinMismatchError struct{ Got Pin }

func (e *PinMismatchError) Error() string {
	return fmt.Sprintf("the other end has the key %s, which is not allowed here", e.Got)
}

// ErrOtherProtocol tells that the other end speaks TLS, but not our protocol.
var ErrOtherProtocol = errors.New("the other end does not speak " + protocol + "; is it a dispatcher link, and of the same version?")

// tlsConfig gives what both ends have in common. Certificates are checked by
// their pins and by nothing else, so InsecureSkipVerify only switches off the
// check for authorities and names that no pinned link has; that the other end
// holds its key is proven by the handshake all the same.
func tlsConfig(id *Identity, allowed []Pin) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{id.cert},
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protocol},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true,
		SessionTicketsDisabled: true,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			return verifyPin(raw, allowed)
		},
		VerifyConnection: func(state tls.ConnectionState) error {
			if state.NegotiatedProtocol != protocol {
				return ErrOtherProtocol
			}
			return nil
		},
	}
}

func verifyPin(raw [][]byte, allowed []Pin) error {
	if len(raw) == 0 {
		return errors.New("the other end has shown no key")
	}
	leaf, err := x509.ParseCertificate(raw[0])
	if err != nil {
		return err
	}
	if pin := pinOf(leaf); !slices.Contains(allowed, pin) {
		return &PinMismatchError{Got: pin}
	}
	return nil
}
