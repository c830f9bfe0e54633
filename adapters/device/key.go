package device

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Key is a static key pair of one end of a link. It prints as its public half
// only.
type Key struct{ pair *ecdh.PrivateKey }

// NewKey draws a key pair.
func NewKey() (Key, error) {
	pair, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("draw key: %w", err)
	}
	return Key{pair}, nil
}

// KeyOf gives the key pair with the given private key of 32 bytes.
func KeyOf(private []byte) (Key, error) {
	pair, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("a private key has %d bytes, this one %d", keySize, len(private))
	}
	return Key{pair}, nil
}

// Public gives a copy of the public key, 32 bytes.
func (k Key) Public() []byte { return k.pair.PublicKey().Bytes() }

// String gives the public key in base64.
func (k Key) String() string { return base64.RawURLEncoding.EncodeToString(k.Public()) }

// GoString keeps the private half out of "%#v".
func (k Key) GoString() string { return "device.Key(" + k.String() + ")" }

// Format keeps the private half out of every other verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// KeyFileError tells that the file at Path holds no server key.
type KeyFileError struct {
	Path  string
	Fault error
}

func (e *KeyFileError) Error() string {
	return fmt.Sprintf("read server key %s: %v; put the file back from a backup, "+
		"or remove it to get a new key and enrol every device again", e.Path, e.Fault)
}

func (e *KeyFileError) Unwrap() error { return e.Fault }

const keyFileHeader = "rollcall server key 1\n"

// LoadOrCreateKey reads the key file at path; where there is none it draws a key
// and writes it, for the owner's eyes only, so that it is either whole or not
// there. The file's folder must exist. Enrolment strings hold the public half:
// who loses the file has to enrol every device again.
func LoadOrCreateKey(path string) (Key, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createKey(path)
	case err != nil:
		return Key{}, fmt.Errorf("read server key: %w", err)
	}
	key, err := parseKeyFile(string(b))
	if err != nil {
		return Key{}, &KeyFileError{path, err}
	}
	return key, nil
}

func createKey(path string) (Key, error) {
	key, err := NewKey()
	if err != nil {
		return Key{}, err
	}
	text := keyFileHeader + base64.StdEncoding.EncodeToString(key.pair.Bytes()) + "\n"
	if err := writeNew(path, []byte(text)); err != nil {
		if errors.Is(err, fs.ErrExist) { // another process was faster
			return LoadOrCreateKey(path)
		}
		return Key{}, fmt.Errorf("write server key: %w", err)
	}
	return key, nil
}

func parseKeyFile(text string) (Key, error) {
	encoded, ok := strings.CutPrefix(text, keyFileHeader)
	if !ok {
		return Key{}, errors.New("not a server key file")
	}
	private, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return Key{}, errors.New("the key is damaged")
	}
	return KeyOf(private)
}
