package device

import (
	"crypto/ecdh"
	"io"

	"github.com/flynn/noise"
)

// keys does the X25519 of one handshake. The library hands private keys about as
// bytes, from which crypto/ecdh computes the public key again at every use, and
// that takes as long as the use itself. So what the library gets here are names of
// keys that are held once.
type keys struct {
	noise.CipherSuite
	held [2]*ecdh.PrivateKey
}

// The names of a handshake's own keys.
const (
	static byte = iota
	ephemeral
)

func newKeys(own *ecdh.PrivateKey) *keys {
	return &keys{CipherSuite: suite, held: [...]*ecdh.PrivateKey{static: own, ephemeral: nil}}
}

func (k *keys) named(name byte) noise.DHKey {
	return noise.DHKey{Private: []byte{name}, Public: k.held[name].PublicKey().Bytes()}
}

// GenerateKeypair draws the ephemeral key.
func (k *keys) GenerateKeypair(random io.Reader) (noise.DHKey, error) {
	private := make([]byte, keySize)
	if _, err := io.ReadFull(random, private); err != nil {
		return noise.DHKey{}, err
	}
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return noise.DHKey{}, err
	}
	k.held[ephemeral] = key
	return k.named(ephemeral), nil
}

// DH refuses a public key of low order, as RFC 7748, section 6.1, recommends.
func (k *keys) DH(name, public []byte) ([]byte, error) {
	peer, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return k.held[name[0]].ECDH(peer)
}

// forget drops the keys: what a handshake agrees on refers to its suite for as
// long as the link lasts.
func (k *keys) forget() { clear(k.held[:]) }
