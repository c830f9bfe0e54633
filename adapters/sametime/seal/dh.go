package seal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
)

// PublicSize is the size of a public number in bytes. Numbers are written with
// leading zeros up to it: the common client library takes a shorter one for none.
const PublicSize = 64

// SharedSize is the size of a shared key in bytes.
const SharedSize = 16

// maxPublic is the most bytes that are read as a public number: some peers write
// more leading zeros.
const maxPublic = 256

var (
	prime, _ = new(big.Int).SetString(
		"cf84afce86ddfa527f136d10357528eefba0afef808f29174e3b6a9e97000171"+
			"7c8f106c41c161a6ce91057b34da62cbb87bfdc1b35c1b910fea72249d566b9f", 16)
	generator = big.NewInt(3)
)

// ErrPublic tells that a peer's public number cannot be one: it would make the
// shared key known to everybody.
var ErrPublic = errors.New("the peer's public number is not one of a Diffie-Hellman exchange")

// KeyPair is one side of an exchange.
type KeyPair struct{ private, public *big.Int }

// NewKeyPair makes a key pair from the system's random numbers.
func NewKeyPair() KeyPair {
	private := make([]byte, PublicSize)
	_, _ = rand.Read(private) // never fails
	return KeyPairFrom(private)
}

// KeyPairFrom gives the key pair with that private number, big-endian.
func KeyPairFrom(private []byte) KeyPair {
	n := new(big.Int).SetBytes(private)
	return KeyPair{n, new(big.Int).Exp(generator, n, prime)}
}

// Public gives the public number, big-endian, with leading zeros.
func (k KeyPair) Public() []byte { return k.public.FillBytes(make([]byte, PublicSize)) }

// Shared gives the key that the exchange with a peer comes to: the last bytes of
// the secret. A number that cannot be a public one is [ErrPublic].
func (k KeyPair) Shared(peer []byte) ([]byte, error) {
	if len(peer) > maxPublic {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrPublic, len(peer))
	}
	n := new(big.Int).SetBytes(peer)
	if n.BitLen() < 2 || n.Cmp(new(big.Int).Sub(prime, big.NewInt(1))) >= 0 {
		return nil, ErrPublic
	}
	secret := new(big.Int).Exp(n, k.private, prime).FillBytes(make([]byte, PublicSize))
	return secret[PublicSize-SharedSize:], nil
}
