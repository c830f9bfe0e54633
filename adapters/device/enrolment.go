package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
)

// Enrolment is what an enrolment string holds: all that a device needs to find a
// server, to know it for certain, and to become known to it, once.
//
// The string is "rollcall:" and, in URL-safe base64 without padding,
//
//	 1 byte    32 bytes     8 bytes         each: 1 byte of length,   4 bytes
//	                                        and that many bytes
//	+---------+------------+---------------+------------+------------+----------+
//	| version | server key | routing token | address    | secret     | checksum |
//	+---------+------------+---------------+------------+------------+----------+
//
// where the checksum is the beginning of the SHA-256 of all bytes before it.
type Enrolment struct {
	ServerKey []byte // the server's public key, 32 bytes
	Address   string // host:port
	Secret    []byte // spent with the first use
	Token     Token  // for routers; zero if there is only one way
}

const (
	enrolmentPrefix  = "rollcall:"
	enrolmentVersion = 1
	checksumSize     = 4
)

// EnrolmentError tells what is wrong with an enrolment string. It holds nothing
// of the string.
type EnrolmentError struct{ Fault string }

func (e *EnrolmentError) Error() string { return "enrolment string: " + e.Fault }

// String tells what the enrolment is for, without the secret.
func (e Enrolment) String() string { return "enrolment at " + e.Address }

// GoString keeps the secret out of "%#v".
func (e Enrolment) GoString() string { return "device.Enrolment(" + e.Address + ")" }

// Format keeps the secret out of every other verb.
func (e Enrolment) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.String()) }

// Reveal gives the enrolment string, secret and all: for the person it is for,
// and for nobody and nothing else. It gives an *[EnrolmentError] if a field is
// not what it must be.
func (e Enrolment) Reveal() (string, error) {
	if err := e.check(); err != nil {
		return "", err
	}
	b := append([]byte{enrolmentVersion}, e.ServerKey...)
	b = append(b, e.Token[:]...)
	for _, field := range [][]byte{[]byte(e.Address), e.Secret} {
		b = append(b, byte(len(field)))
		b = append(b, field...)
	}
	sum := sha256.Sum256(b)
	return enrolmentPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:checksumSize]...)), nil
}

func (e Enrolment) check() error {
	if len(e.ServerKey) != keySize {
		return &EnrolmentError{fmt.Sprintf("a server key has %d bytes, this one %d", keySize, len(e.ServerKey))}
	}
	if _, port, err := net.SplitHostPort(e.Address); err != nil || port == "" || len(e.Address) > 255 {
		return &EnrolmentError{"the server's address is not of the form host:port"}
	}
	if len(e.Secret) == 0 || len(e.Secret) > maxSecret {
		return &EnrolmentError{fmt.Sprintf("a secret has 1 to %d bytes, this one %d", maxSecret, len(e.Secret))}
	}
	return nil
}

// ParseEnrolment reads an enrolment string, spaces and line breaks around and in
// it aside. It gives an *[EnrolmentError] that tells a string that is none from
// one that was cut or mistyped.
func ParseEnrolment(text string) (Enrolment, error) {
	text = strings.Join(strings.Fields(text), "")
	encoded, ok := strings.CutPrefix(text, enrolmentPrefix)
	if !ok {
		return Enrolment{}, &EnrolmentError{`it does not begin with "rollcall:"; copy the whole of what "rollcall device enrol" printed`}
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) <= checksumSize {
		return Enrolment{}, &EnrolmentError{"it was cut or mistyped; copy the whole of it"}
	}
	body, sum := b[:len(b)-checksumSize], b[len(b)-checksumSize:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:checksumSize]) {
		return Enrolment{}, &EnrolmentError{"its checksum is wrong: it was cut or mistyped; copy the whole of it"}
	}
	return parseEnrolmentBody(body)
}

func parseEnrolmentBody(b []byte) (Enrolment, error) {
	if b[0] != enrolmentVersion {
		return Enrolment{}, &EnrolmentError{fmt.Sprintf("it has version %d, this program knows version %d; update it", b[0], enrolmentVersion)}
	}
	broken := &EnrolmentError{"it is not laid out as one"}
	const fixed = 1 + keySize + len(Token{})
	if len(b) < fixed {
		return Enrolment{}, broken
	}
	e := Enrolment{ServerKey: b[1 : 1+keySize], Token: Token(b[1+keySize:])}
	rest := b[fixed:]
	var fields [2][]byte
	for i := range fields {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return Enrolment{}, broken
		}
		fields[i], rest = rest[1:1+int(rest[0])], rest[1+int(rest[0]):]
	}
	if len(rest) > 0 {
		return Enrolment{}, broken
	}
	e.Address, e.Secret = string(fields[0]), fields[1]
	if err := e.check(); err != nil {
		return Enrolment{}, err
	}
	return e, nil
}
