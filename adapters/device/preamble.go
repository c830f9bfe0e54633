package device

import (
	"fmt"
	"io"
)

// Version is the version of the device link that this package speaks.
const Version = 1

// Token helps a router or dispatcher to choose where a link goes. It is no
// secret, and opaque to the device.
type Token [8]byte

const (
	magic        = "RCL1"
	preambleSize = 16
)

// Preamble is what a device sends first, in clear, 16 bytes:
//
//	 0 1 2 3   4         5 6 7    8 ... 15
//	+--------+---------+--------+---------------+
//	| "RCL1" | version | zeroes | routing token |
//	+--------+---------+--------+---------------+
type Preamble struct {
	Version byte
	Token   Token
}

// Append appends the preamble's bytes to b.
func (p Preamble) Append(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, p.Version, 0, 0, 0)
	return append(b, p.Token[:]...)
}

// ReadPreamble reads the 16 bytes and no more. It gives [ErrPreamble], a
// *[VersionError], or what r gave.
func ReadPreamble(r io.Reader) (Preamble, error) {
	var b [preambleSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Preamble{}, fmt.Errorf("read preamble: %w", err)
	}
	return parsePreamble(b)
}

func parsePreamble(b [preambleSize]byte) (Preamble, error) {
	switch {
	case string(b[:4]) != magic:
		return Preamble{}, ErrPreamble
	case b[4] != Version:
		return Preamble{}, &VersionError{Theirs: b[4]}
	case b[5] != 0 || b[6] != 0 || b[7] != 0:
		return Preamble{}, ErrPreamble
	}
	return Preamble{Version: b[4], Token: Token(b[8:])}, nil
}
