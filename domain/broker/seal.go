package broker

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"

	"rollcall/domain"
)

// resumeSecretSize is the length of a resume secret in bytes.
const resumeSecretSize = 32

// errUnseal tells that sealed credentials do not open with this secret.
var errUnseal = errors.New("the resume secret does not fit the session")

// credentials are what the broker needs to log in upstream again after a
// restart.
type credentials struct {
	Account  string `json:"account"`
	Password string `json:"password"`
}

// newResumeSecret draws the secret that only the device will keep.
func newResumeSecret() []byte {
	secret := make([]byte, resumeSecretSize)
	rand.Read(secret) // never fails, see crypto/rand
	return secret
}

// seal encrypts credentials so that only who has the resume secret opens them:
// AES-256-GCM under a key that HKDF (RFC 5869) makes of the secret for this
// session of this log. The nonce stands in front.
func seal(c credentials, secret []byte, log domain.LogID, id domain.SessionID) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	aead, err := sealer(secret, log, id)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

func unseal(sealed, secret []byte, log domain.LogID, id domain.SessionID) (c credentials, err error) {
	aead, err := sealer(secret, log, id)
	if err != nil {
		return c, err
	}
	plain, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return c, errUnseal
	}
	return c, json.Unmarshal(plain, &c)
}

func sealer(secret []byte, log domain.LogID, id domain.SessionID) (cipher.AEAD, error) {
	info := binary.BigEndian.AppendUint64([]byte("rollcall credentials "), uint64(id))
	key, err := hkdf.Key(sha256.New, secret, log[:], string(info), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// secretDigest is what is kept in memory of a resume secret.
type secretDigest [sha256.Size]byte

func digest(secret []byte) secretDigest { return sha256.Sum256(secret) }

func (d secretDigest) fits(secret []byte) bool {
	other := digest(secret)
	return subtle.ConstantTimeCompare(d[:], other[:]) == 1
}
