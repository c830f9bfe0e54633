package groupwise_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/adapters/groupwise/gwserver"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
)

func saved(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCertificates(t *testing.T) {
	d := newDouble(t, nil)
	other, err := gwserver.NewCertificate("other.example.org")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := newDouble(t, func(c *gwserver.Config) { c.Certificate = other })
	for name, c := range map[string]struct {
		at      *double
		options map[string]string
		says    string // empty: the login succeeds
	}{
		"an authority that is not known": {d, nil, "set ca-file or pin-sha256"},
		"its own as the authority":       {d, map[string]string{"ca-file": saved(t, d.config.Certificate)}, ""},
		"another authority":              {d, map[string]string{"ca-file": saved(t, other)}, "set ca-file or pin-sha256"},
		"its pin":                        {d, map[string]string{"pin-sha256": pin(d.config.Certificate)}, ""},
		"one of two pins":                {d, map[string]string{"pin-sha256": pin(other) + "," + pin(d.config.Certificate)}, ""},
		"another pin":                    {d, map[string]string{"pin-sha256": pin(other)}, "set pin-sha256 anew"},
		"pin and authority":              {d, map[string]string{"pin-sha256": pin(d.config.Certificate), "ca-file": saved(t, d.config.Certificate)}, ""},
		"pin without the authority":      {d, map[string]string{"pin-sha256": pin(d.config.Certificate), "ca-file": saved(t, other)}, "set ca-file"},
		"for another name":               {elsewhere, map[string]string{"ca-file": saved(t, other)}, "set server-name"},
		"for the name that is set":       {elsewhere, map[string]string{"ca-file": saved(t, other), "server-name": "other.example.org"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			settings := domain.Settings{Kind: domain.KindGroupWise, Address: c.at.address, Options: c.options}
			_, err := tryLogin(t, settings, "alice", password("alice"), newSink())
			switch {
			case c.says == "" && err != nil:
				t.Errorf("Login = %v, want no error", err)
			case c.says != "" && (code(err) != domain.RejectUpstreamUnreachable || !strings.Contains(err.Error(), c.says)):
				t.Errorf("Login = %v, want upstream-unreachable that says %q", err, c.says)
			}
		})
	}
}

// TestOldTLS has a server that speaks TLS 1.0 with an old cipher, and nothing
// better.
func TestOldTLS(t *testing.T) {
	certificate, err := gwserver.NewCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			for requests := wire.NewServerReader(conn); ; {
				r, err := requests.Next()
				if err != nil {
					break
				}
				n, _ := r.Transaction()
				_, _ = conn.Write(wire.Respond(n, wire.OK).Append(nil)) // the next read tells
			}
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	defer func() {
		l.Close()
		<-gone
	}()
	for version, taken := range map[string]bool{"1.0": true, "1.1": false, "1.2": false} {
		settings := domain.Settings{Kind: domain.KindGroupWise, Address: l.Addr().String(),
			Options: map[string]string{"pin-sha256": pin(certificate), "tls-min": version}}
		v, err := tryLogin(t, settings, "alice", "x", newSink())
		if (err == nil) != taken {
			t.Errorf("Login with tls-min %s at a server of TLS 1.0 = %v, taken is to be %t", version, err, taken)
		}
		if v != nil {
			if err := v.Logout(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
