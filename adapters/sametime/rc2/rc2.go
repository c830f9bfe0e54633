package rc2

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// BlockSize is the size of a block in bytes.
const BlockSize = 8

// MaxBits is the largest effective key length, which Sametime uses with keys of
// every length.
const MaxBits = 1024

// KeyError tells of a key, or of an effective key length, that RC2 does not have.
type KeyError struct {
	Bytes int // length of the key
	Bits  int // effective length
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("rc2: no key of %d bytes with %d effective bits: give 1 to 128 bytes and 1 to %d bits", e.Bytes, e.Bits, MaxBits)
}

// block is an expanded key.
type block struct{ k [64]uint16 }

// New gives the cipher with a key of 1 to 128 bytes whose effective length is
// limited to a number of bits, RFC 2268 section 2; else a *[KeyError]. It is safe
// for concurrent use.
func New(key []byte, effective int) (cipher.Block, error) {
	if len(key) == 0 || len(key) > 128 || effective < 1 || effective > MaxBits {
		return nil, &KeyError{len(key), effective}
	}
	return expand(key, effective), nil
}

func expand(key []byte, effective int) *block {
	var l [128]byte
	n := copy(l[:], key)
	for i := n; i < len(l); i++ {
		l[i] = piTable[l[i-1]+l[i-n]]
	}
	size := (effective + 7) / 8
	mask := byte(0xff >> (8*size - effective))
	first := len(l) - size
	l[first] = piTable[l[first]&mask]
	for i := first - 1; i >= 0; i-- {
		l[i] = piTable[l[i+1]^l[i+size]]
	}
	b := new(block)
	for i := range b.k {
		b.k[i] = binary.LittleEndian.Uint16(l[2*i:])
	}
	return b
}

// BlockSize gives 8.
func (*block) BlockSize() int { return BlockSize }

// shifts are how far each word of a block is rotated in a mixing round.
var shifts = [4]int{1, 2, 3, 5}

// Encrypt encrypts one block, RFC 2268 section 3.
func (b *block) Encrypt(dst, src []byte) {
	r := load(dst, src)
	j := 0
	for _, rounds := range [...]int{5, 6, 5} {
		if j > 0 {
			for i := range r {
				r[i] += b.k[r[(i+3)%4]&63]
			}
		}
		for range rounds {
			for i := range r {
				r[i] += b.k[j] + r[(i+3)%4]&r[(i+2)%4] + ^r[(i+3)%4]&r[(i+1)%4]
				r[i] = bits.RotateLeft16(r[i], shifts[i])
				j++
			}
		}
	}
	store(dst, r)
}

// Decrypt decrypts one block, RFC 2268 section 4.
func (b *block) Decrypt(dst, src []byte) {
	r := load(dst, src)
	j := len(b.k)
	for _, rounds := range [...]int{5, 6, 5} {
		if j < len(b.k) {
			for i := 3; i >= 0; i-- {
				r[i] -= b.k[r[(i+3)%4]&63]
			}
		}
		for range rounds {
			for i := 3; i >= 0; i-- {
				j--
				r[i] = bits.RotateLeft16(r[i], -shifts[i])
				r[i] -= b.k[j] + r[(i+3)%4]&r[(i+2)%4] + ^r[(i+3)%4]&r[(i+1)%4]
			}
		}
	}
	store(dst, r)
}

// load gives the words of a block. Like the standard library's ciphers it panics
// where the caller has less than a block.
func load(dst, src []byte) (r [4]uint16) {
	if len(src) < BlockSize || len(dst) < BlockSize {
		panic("rc2: less than a block")
	}
	for i := range r {
		r[i] = binary.LittleEndian.Uint16(src[2*i:])
	}
	return r
}

func store(dst []byte, r [4]uint16) {
	for i, word := range r {
		binary.LittleEndian.PutUint16(dst[2*i:], word)
	}
}
