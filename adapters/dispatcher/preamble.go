package dispatcher

import (
	"encoding/hex"
	"fmt"
	"io"
)

// magic begins every device link.
const magic = "RCL1"

// tokenAt is where the routing token stands in a preamble.
const tokenAt = 8

// Preamble is what a device sends first, in clear. The dispatcher looks at the
// magic and the token; everything else in it is between the device and the
// collaboration service.
type Preamble [16]byte

// Token is a routing token: it says which collaboration service a device
// belongs to. It is no secret.
type Token [8]byte

// PreambleError tells that a connection does not begin as a device link.
type PreambleError struct{ Problem string }

func (e *PreambleError) Error() string { return "not a device link: " + e.Problem }

// ReadPreamble reads the 16 bytes and no more. It fails with a [*PreambleError],
// or with the error of the reader.
func ReadPreamble(r io.Reader) (Preamble, error) {
	var p Preamble
	if _, err := io.ReadFull(r, p[:]); err != nil {
		return Preamble{}, fmt.Errorf("read preamble: %w", err)
	}
	return p, p.check()
}

func (p Preamble) check() error {
	if string(p[:len(magic)]) != magic {
		return &PreambleError{fmt.Sprintf("it begins with %q", p[:len(magic)])}
	}
	return nil
}

// Token gives the routing token.
func (p Preamble) Token() Token { return Token(p[tokenAt:]) }

// TokenError tells why a text is no routing token.
type TokenError struct{ Text string }

func (e *TokenError) Error() string {
	return fmt.Sprintf("bad routing token %.40q: it has to be 16 hexadecimal digits", e.Text)
}

// ParseToken reads the form that String prints. It fails with a [*TokenError].
func ParseToken(text string) (Token, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(Token{}) {
		return Token{}, &TokenError{text}
	}
	return Token(raw), nil
}

// String gives 16 hexadecimal digits.
func (t Token) String() string { return hex.EncodeToString(t[:]) }
