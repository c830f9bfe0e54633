package upstreamtls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"rollcall/domain"
)

// ErrPin tells that a server's certificate has a public key that is not pinned.
var ErrPin = errors.New("the certificate's public key is none of the pinned ones")

// Trust is what a server's certificate is checked against. The zero Trust is the
// system's authorities. Once set, it is safe for concurrent use.
type Trust struct {
	roots *x509.CertPool // nil: the system's
	pins  [][sha256.Size]byte
}

// SetRoots takes the certificates in a PEM file in place of the system's
// authorities. holds says what is to be in the file, for the
// *[domain.SettingError] where it is not.
func (t *Trust) SetRoots(file, holds string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return &domain.SettingError{Setting: "ca-file", Problem: err.Error(), Next: "name a file with " + holds + " in PEM that this process may read"}
	}
	t.roots = x509.NewCertPool()
	if !t.roots.AppendCertsFromPEM(pem) {
		return &domain.SettingError{Setting: "ca-file", Problem: file + " holds no certificate", Next: "name a file with " + holds + " in PEM"}
	}
	return nil
}

// AddPins adds the pins in a text, which commas or spaces separate. It gives a
// *[domain.SettingError] where one of them is no pin.
func (t *Trust) AddPins(text string) error {
	for _, pin := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		sum, err := base64.StdEncoding.DecodeString(pin)
		if err != nil || len(sum) != sha256.Size {
			return &domain.SettingError{Setting: "pin-sha256", Problem: fmt.Sprintf("%.80q is not a SHA-256 in base64", pin),
				Next: "give the digest of the certificate's public key (SubjectPublicKeyInfo), several joined by commas"}
		}
		t.pins = append(t.pins, [sha256.Size]byte(sum))
	}
	if !t.HasPins() { // or nothing would be pinned where somebody thinks so
		return &domain.SettingError{Setting: "pin-sha256", Problem: "no pin is given", Next: "give one, or unset the option"}
	}
	return nil
}

// HasPins tells whether there are pins.
func (t *Trust) HasPins() bool { return len(t.pins) > 0 }

// IsSet tells whether anything but the system's authorities is trusted.
func (t *Trust) IsSet() bool { return t.roots != nil || t.HasPins() }

// Config gives a client's configuration for TLS 1.2 or newer, which is the
// caller's own. It checks the certificate against a name and the authorities.
// Pins alone replace both checks; with a ca-file all must hold.
func (t *Trust) Config(serverName string) *tls.Config {
	config := &tls.Config{ServerName: serverName, RootCAs: t.roots, MinVersion: tls.VersionTLS12}
	if t.HasPins() {
		config.InsecureSkipVerify = t.roots == nil // then the pin is the check
		config.VerifyConnection = t.checkPin
	}
	return config
}

func (t *Trust) checkPin(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return ErrPin
	}
	sum := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
	if !slices.Contains(t.pins, sum) {
		return ErrPin
	}
	return nil
}
