package dispatcher

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

// Pin is the SHA-256 of a public key in the form of a certificate's
// SubjectPublicKeyInfo (RFC 7469, section 2.4). It is no secret.
type Pin [sha256.Size]byte

const pinPrefix = "sha256:"

// PinError tells why a text is no pin.
type PinError struct{ Text, Problem string }

func (e *PinError) Error() string {
	return fmt.Sprintf("bad pin %.80q: %s; copy it whole from the other end, it looks like sha256: and 44 characters of base64", e.Text, e.Problem)
}

// ParsePin reads the form that String prints. It fails with a [*PinError].
func ParsePin(text string) (Pin, error) {
	encoded, ok := strings.CutPrefix(text, pinPrefix)
	if !ok {
		return Pin{}, &PinError{text, "it does not begin with " + pinPrefix}
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return Pin{}, &PinError{text, "it is not base64"}
	}
	if len(sum) != len(Pin{}) {
		return Pin{}, &PinError{text, fmt.Sprintf("it has %d bytes, not %d", len(sum), len(Pin{}))}
	}
	return Pin(sum), nil
}

// String gives sha256:BASE64, as openssl and curl count it.
func (p Pin) String() string {
	return pinPrefix + base64.StdEncoding.EncodeToString(p[:])
}

// pinOf gives the pin of a certificate's key.
func pinOf(cert *x509.Certificate) Pin {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}
