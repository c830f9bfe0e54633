package dispatcher

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// identityFile is the name of the key's file: PKCS #8 in PEM, mode 0600.
const identityFile = "dispatch-link.key"

const pemType = "PRIVATE KEY"

// Identity is the key with which one end of a link proves who it is.
type Identity struct {
	cert tls.Certificate
	pin  Pin
}

// IdentityError tells why the key in a file cannot be used.
type IdentityError struct{ Path, Problem string }

func (e *IdentityError) Error() string {
	return fmt.Sprintf("%s: %s", e.Path, e.Problem)
}

// LoadOrCreateIdentity reads the key that lies in dir, or makes one there if
// there is none; dir is made too. Two processes that start at the same time get
// the same key. It fails with an [*IdentityError] or an error of the file
// system.
func LoadOrCreateIdentity(dir string) (*Identity, error) {
	path := filepath.Join(dir, identityFile)
	id, err := loadIdentity(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	if err := createKey(dir, path); err != nil {
		return nil, fmt.Errorf("create link key: %w", err)
	}
	return loadIdentity(path)
}

// Pin gives the pin that the other end has to know.
func (id *Identity) Pin() Pin { return id.pin }

func loadIdentity(path string) (*Identity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, &IdentityError{path, "others may read this private key; chmod 600 it, and if they may have read it, delete it and pin the new one"}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(rest) != 0 {
		return nil, &IdentityError{path, "it does not hold exactly one PEM private key; restore it from a backup, or delete it and pin the new one"}
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, &IdentityError{path, "it does not hold an Ed25519 key; restore it from a backup, or delete it and pin the new one"}
	}
	return newIdentity(private)
}

// newIdentity wraps a key in a certificate that it signs itself. Nobody looks at
// anything in it but the key, so it is made anew at every start.
func newIdentity(private ed25519.PrivateKey) (*Identity, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "rollcall dispatch link"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280, 4.1.2.5: no end
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("sign link certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sign link certificate: %w", err)
	}
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
	return &Identity{cert: cert, pin: pinOf(leaf)}, nil
}

// createKey writes a new key to path, whole and durable or not at all; a key
// that appeared there meanwhile stays.
func createKey(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, identityFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	err = pem.Encode(temp, &pem.Block{Type: pemType, Bytes: der})
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
