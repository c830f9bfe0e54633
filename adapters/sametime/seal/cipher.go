package seal

import (
	"bytes"
	"crypto/cipher"
	"errors"

	"rollcall/adapters/sametime/rc2"
)

// firstVector is the vector of the first block under every key.
var firstVector = []byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}

// ErrCiphertext tells that a text cannot have been encrypted with this key.
var ErrCiphertext = errors.New("the encrypted text does not fit its key")

// Cipher encrypts or decrypts the texts of one direction, in order.
type Cipher struct{ mode cipher.BlockMode }

// NewEncrypter gives a cipher that encrypts with a key of 1 to 128 bytes; else
// the error is an *[rc2.KeyError].
func NewEncrypter(key []byte) (*Cipher, error) {
	b, err := rc2.New(key, rc2.MaxBits)
	if err != nil {
		return nil, err
	}
	return &Cipher{cipher.NewCBCEncrypter(b, firstVector)}, nil
}

// NewDecrypter gives a cipher that decrypts, see [NewEncrypter].
func NewDecrypter(key []byte) (*Cipher, error) {
	b, err := rc2.New(key, rc2.MaxBits)
	if err != nil {
		return nil, err
	}
	return &Cipher{cipher.NewCBCDecrypter(b, firstVector)}, nil
}

// Encrypt gives the next text encrypted, with 1 to 8 bytes of padding.
func (c *Cipher) Encrypt(text []byte) []byte {
	n := rc2.BlockSize - len(text)%rc2.BlockSize
	out := append(bytes.Clone(text), bytes.Repeat([]byte{byte(n)}, n)...)
	c.mode.CryptBlocks(out, out)
	return out
}

// Decrypt gives the next text decrypted, or [ErrCiphertext].
func (c *Cipher) Decrypt(text []byte) ([]byte, error) {
	if len(text) == 0 || len(text)%rc2.BlockSize != 0 {
		return nil, ErrCiphertext
	}
	out := make([]byte, len(text))
	c.mode.CryptBlocks(out, text)
	n := int(out[len(out)-1])
	if n == 0 || n > rc2.BlockSize {
		return nil, ErrCiphertext
	}
	for _, b := range out[len(out)-n:] {
		if int(b) != n {
			return nil, ErrCiphertext
		}
	}
	return out[:len(out)-n], nil
}
