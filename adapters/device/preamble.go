package device

import (
	"fmt"
	"io"
)

// Version is the version of the device link that this package speaks.
const Version = 1

// MaxToken is the longest routing token, in bytes.
const MaxToken = 32

// Preamble is what a device sends first, in clear:
//
//	 0      1      2        3        4
//	+------+------+---------+--------+----------------+
//	| 'R'  | 'C'  | version | length | token (length) |
//	+------+------+---------+--------+----------------+
type Preamble struct {
	Version byte
	// Token helps a router or dispatcher to choose where the link goes; it is
	// opaque to the device and may be empty.
	Token []byte
}

// Append appends the preamble's bytes to b. The token must not be longer than
// [MaxToken].
func (p Preamble) Append(b []byte) []byte {
	b = append(b, 'R', 'C', p.Version, byte(len(p.Token)))
	return append(b, p.Token...)
}

// ReadPreamble reads a preamble and not a byte more. It gives [ErrPreamble], a
// *[VersionError], or what r gave. It reads a version it does not know up to
// the version only.
func ReadPreamble(r io.Reader) (Preamble, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Preamble{}, fmt.Errorf("read preamble: %w", err)
	}
	switch {
	case head[0] != 'R' || head[1] != 'C':
		return Preamble{}, ErrPreamble
	case head[2] != Version:
		return Preamble{}, &VersionError{Theirs: head[2]}
	case head[3] > MaxToken:
		return Preamble{}, ErrPreamble
	}
	p := Preamble{Version: head[2]}
	if head[3] > 0 {
		p.Token = make([]byte, head[3])
		if _, err := io.ReadFull(r, p.Token); err != nil {
			return Preamble{}, fmt.Errorf("read preamble: %w", err)
		}
	}
	return p, nil
}
