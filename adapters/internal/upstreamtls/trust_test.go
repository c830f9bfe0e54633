package upstreamtls_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/adapters/internal/upstreamtls"
	"rollcall/domain"
)

// certificate is one that signed itself, as a server has it and as options name
// it.
type certificate struct {
	tls.Certificate
	pin, file string
}

func newCertificate(t *testing.T, name string, until time.Time) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	file := write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return certificate{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:]), file}
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// handshake is how a client with that trust gets on with a server.
func handshake(t *testing.T, trust *upstreamtls.Trust, serverName string, serve func(net.Conn)) error {
	t.Helper()
	here, there := net.Pipe()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer there.Close()
		serve(there)
	}()
	err := tls.Client(here, trust.Config(serverName)).HandshakeContext(t.Context())
	here.Close()
	<-gone
	return err
}

// server shows a certificate.
func server(c certificate) func(net.Conn) {
	return func(conn net.Conn) {
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{c.Certificate}}).Handshake() // the client tells
	}
}

func TestTrustAndAdvice(t *testing.T) {
	const name = "im.example.org"
	soon := time.Now().Add(time.Hour)
	good, other := newCertificate(t, name, soon), newCertificate(t, name, soon)
	elsewhere, expired := newCertificate(t, "other.example.org", soon), newCertificate(t, name, soon.Add(-2*time.Hour))
	advice := &upstreamtls.Advice{Refused: "refused", WrongName: "name", Invalid: "invalid", NoTLS: "no TLS"}
	const setEither, pinAnew = "if the certificate is the right one, set ca-file or pin-sha256", "check that nobody stands between, then set pin-sha256 anew"
	for what, c := range map[string]struct {
		serve      func(net.Conn)
		file, pins string
		next       string // empty: taken
	}{
		"an authority that is not known": {server(good), "", "", setEither},
		"itself as the authority":        {server(good), good.file, "", ""},
		"another authority":              {server(good), other.file, "", setEither},
		"for another name":               {server(elsewhere), elsewhere.file, "", "name"},
		"expired":                        {server(expired), expired.file, "", "invalid"},
		"its pin":                        {server(good), "", good.pin, ""},
		"its pin, for another name":      {server(elsewhere), "", elsewhere.pin, ""},
		"one of two pins":                {server(good), "", other.pin + ", " + good.pin, ""},
		"another pin":                    {server(good), "", other.pin, pinAnew},
		"pin and authority":              {server(good), good.file, good.pin, ""},
		"pin without the authority":      {server(good), other.file, good.pin, setEither},
		"authority without the pin":      {server(good), good.file, other.pin, pinAnew},
		"no TLS": {func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte("220 good morning\r\n")) // the client tells
		}, "", "", "no TLS"},
	} {
		t.Run(what, func(t *testing.T) {
			err := handshake(t, trust(t, c.file, c.pins), name, c.serve)
			if c.next == "" {
				if err != nil {
					t.Errorf("handshake = %v, want no error", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("the handshake succeeded, want an error that says %q", c.next)
			}
			refusal := advice.Refusal(err)
			if refusal == nil || refusal.Code != domain.RejectUpstreamUnreachable || !errors.Is(refusal, err) {
				t.Fatalf("Refusal(%v) = %v, want upstream-unreachable because of that", err, refusal)
			}
			if want := "refused: " + err.Error() + ": " + c.next; refusal.Text != want {
				t.Errorf("Refusal says %q, want %q", refusal.Text, want)
			}
		})
	}
}

func trust(t *testing.T, file, pins string) *upstreamtls.Trust {
	t.Helper()
	trust := new(upstreamtls.Trust)
	if file != "" {
		if err := trust.SetRoots(file, "certificates"); err != nil {
			t.Fatal(err)
		}
	}
	if pins != "" {
		if err := trust.AddPins(pins); err != nil {
			t.Fatal(err)
		}
	}
	if trust.HasPins() != (pins != "") || trust.IsSet() != (file != "" || pins != "") {
		t.Errorf("with ca-file %q and pins %q: HasPins %t, IsSet %t", file, pins, trust.HasPins(), trust.IsSet())
	}
	return trust
}

func TestRefusalIsAboutCertificates(t *testing.T) {
	advice := &upstreamtls.Advice{Refused: "refused", WrongName: "name", Invalid: "invalid"}
	for _, err := range []error{net.ErrClosed, tls.AlertError(40), tls.RecordHeaderError{Msg: "not TLS"}} {
		if got := advice.Refusal(err); got != nil {
			t.Errorf("Refusal(%v) = %v, want nil", err, got)
		}
	}
}

func TestBadOptions(t *testing.T) {
	empty := write(t, "no certificate")
	missing := filepath.Join(t.TempDir(), "none.pem")
	const pinNext = "give the digest of the certificate's public key (SubjectPublicKeyInfo), several joined by commas"
	for name, c := range map[string]struct {
		err  error
		want domain.SettingError
	}{
		"no such file": {new(upstreamtls.Trust).SetRoots(missing, "keys"),
			domain.SettingError{Setting: "ca-file", Problem: "open " + missing + ": no such file or directory", Next: "name a file with keys in PEM that this process may read"}},
		"no certificate in it": {new(upstreamtls.Trust).SetRoots(empty, "keys"),
			domain.SettingError{Setting: "ca-file", Problem: empty + " holds no certificate", Next: "name a file with keys in PEM"}},
		"a pin that is too short": {new(upstreamtls.Trust).AddPins("c2hvcnQ="),
			domain.SettingError{Setting: "pin-sha256", Problem: `"c2hvcnQ=" is not a SHA-256 in base64`, Next: pinNext}},
		"no pin": {new(upstreamtls.Trust).AddPins(" ,"),
			domain.SettingError{Setting: "pin-sha256", Problem: "no pin is given", Next: "give one, or unset the option"}},
		"a pin in hexadecimal": {new(upstreamtls.Trust).AddPins("00:11"),
			domain.SettingError{Setting: "pin-sha256", Problem: `"00:11" is not a SHA-256 in base64`, Next: pinNext}},
	} {
		var got *domain.SettingError
		if !errors.As(c.err, &got) || *got != c.want {
			t.Errorf("%s: %v, want %v", name, c.err, &c.want)
		}
	}
}
