package xmpptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
	"time"
)

// Certificate is a server certificate in files, with the authority that signed
// it.
type Certificate struct {
	CAFile, File, KeyFile string
	// Leaf is the server's certificate.
	Leaf *x509.Certificate
}

// NewCertificate makes an authority and a certificate for name by it, in files
// of the test.
func NewCertificate(t testing.TB, name string) Certificate {
	t.Helper()
	dir := t.TempDir()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, leafKey := newKey(t), newKey(t)
	c := Certificate{CAFile: dir + "/ca.pem", File: dir + "/server.pem", KeyFile: dir + "/server.key"}
	writePEM(t, c.CAFile, "CERTIFICATE", sign(t, authority, authority, &authorityKey.PublicKey, authorityKey))
	der := sign(t, leaf, authority, &leafKey.PublicKey, authorityKey)
	writePEM(t, c.File, "CERTIFICATE", der)
	key, err := x509.MarshalPKCS8PrivateKey(leafKey)
	must(t, err)
	writePEM(t, c.KeyFile, "PRIVATE KEY", key)
	c.Leaf, err = x509.ParseCertificate(der)
	must(t, err)
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func sign(t testing.TB, what, by *x509.Certificate, key *ecdsa.PublicKey, byKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, what, by, key, byKey)
	must(t, err)
	return der
}

func writePEM(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
