package sametime_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/adapters/sametime"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestLoginWays logs in to servers of every kind, and looks at how.
func TestLoginWays(t *testing.T) {
	const cleared, refused, silent = "in the clear", "refused", ""
	for name, c := range map[string]struct {
		faults  stserver.Faults
		options []string
		want    wire.AuthType
		log     string // cleared, refused or silent
	}{
		"a key":                            {stserver.Faults{}, nil, wire.AuthRC2DH, silent},
		"a key, though clear is allowed":   {stserver.Faults{}, []string{"clear-password", "allow"}, wire.AuthRC2DH, silent},
		"no key":                           {stserver.Faults{NoKey: true}, nil, 0, refused},
		"no key, clear allowed":            {stserver.Faults{NoKey: true}, []string{"clear-password", "allow"}, wire.AuthRC2_40, cleared},
		"no key, exchange wanted":          {stserver.Faults{NoKey: true}, []string{"clear-password", "allow", "login", "rc2-128"}, 0, refused},
		"a short key":                      {stserver.Faults{ShortKey: true}, nil, 0, refused},
		"a short key, clear allowed":       {stserver.Faults{ShortKey: true}, []string{"clear-password", "allow"}, wire.AuthRC2_40, cleared},
		"an old server":                    {stserver.Faults{OldMinor: true}, nil, 0, refused},
		"an old server, clear allowed":     {stserver.Faults{OldMinor: true}, []string{"clear-password", "allow"}, wire.AuthRC2_40, cleared},
		"RC2 with 40 bits asked for":       {stserver.Faults{}, []string{"clear-password", "allow", "login", "rc2-40"}, wire.AuthRC2_40, cleared},
		"plain asked for":                  {stserver.Faults{}, []string{"clear-password", "allow", "login", "plain"}, wire.AuthPlain, cleared},
		"bytes between frames":             {stserver.Faults{Counters: true}, nil, wire.AuthRC2DH, silent},
		"a server that writes slowly":      {stserver.Faults{SlowWrites: true}, nil, wire.AuthRC2DH, silent},
		"no storage and no presence there": {stserver.Faults{Missing: []wire.Service{wire.ServiceStorage, wire.ServiceAwareness}}, nil, wire.AuthRC2DH, silent},
	} {
		t.Run(name, func(t *testing.T) {
			var r record
			d := start(t, stserver.Config{Observe: r.observe})
			d.SetFaults(c.faults)
			var log bytes.Buffer
			connector := sametime.New(slog.New(slog.NewTextHandler(&log, nil)))
			conv, err := loginWith(t, connector, d.settings(c.options...), "alice", newSink())
			if c.log == refused {
				if code(err) != domain.RejectUpstreamRefused || !strings.Contains(err.Error(), "key exchange") {
					t.Errorf("Login = %v, want upstream-refused that names the key exchange", err)
				}
				if logins := said[*wire.Login](&r, wire.FromClient); len(logins) > 0 {
					t.Errorf("the password was sent all the same: %v", logins)
				}
				return
			}
			if err != nil {
				t.Fatalf("Login = %v", err)
			}
			if logins := said[*wire.Login](&r, wire.FromClient)[1]; len(logins) != 1 || logins[0].AuthType != c.want {
				t.Errorf("logins = %+v, want one with %#x", logins, c.want)
			}
			if err := conv.Logout(t.Context()); err != nil {
				t.Error(err)
			}
			if got := strings.Contains(log.String(), "in the clear"); got != (c.log == cleared) {
				t.Errorf("the log tells of a password in the clear: %t, want %t:\n%s", got, c.log == cleared, log.String())
			}
			if strings.Contains(log.String(), "alice-secret") {
				t.Errorf("the log holds the password:\n%s", log.String())
			}
		})
	}
}

// TestReasons has the server refuse with every reason that is known, and one that
// is not.
func TestReasons(t *testing.T) {
	d := start(t, stserver.Config{})
	important := map[wire.Reason]domain.RejectCode{
		wire.IncorrectLogin:   domain.RejectBadCredentials,
		wire.UserUnregistered: domain.RejectBadCredentials,
		wire.ServerFull:       domain.RejectUpstreamFull,
		wire.UserRestricted:   domain.RejectUpstreamRefused,
		wire.VersionMismatch:  domain.RejectUpstreamRefused,
		wire.MultiLogin:       domain.RejectUpstreamRefused,
		wire.VerificationDown: domain.RejectUpstreamUnreachable,
		wire.Reason(0x8bad1d): domain.RejectUpstreamRefused,
	}
	connector := connector()
	for _, r := range append(wire.Reasons(), 0x8bad1d) {
		if r == wire.Success {
			continue // that is no refusal to the double
		}
		d.SetFaults(stserver.Faults{RefuseLogin: r})
		_, err := loginWith(t, connector, d.settings(), "alice", newSink())
		var upstream *broker.UpstreamError
		var reason *sametime.ReasonError
		if !errors.As(err, &upstream) || !errors.As(err, &reason) || reason.Reason != r || upstream.Text == "" {
			t.Errorf("%v: Login = %v, want an *UpstreamError and behind it a *ReasonError", r, err)
			continue
		}
		if want, named := important[r]; named && upstream.Code != want {
			t.Errorf("%v: Login = %v, want %v", r, err, want)
		}
		if r != 0x8bad1d && strings.Contains(err.Error(), "the server's reason is") {
			t.Errorf("%v: Login = %v, want words for it", r, err)
		}
	}
}

func TestRedirect(t *testing.T) {
	away := start(t, stserver.Config{})
	_, port, _ := net.SplitHostPort(away.address)
	home, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Skip("this system has one loopback address only: ", err)
	}
	other := stserver.New(stserver.Config{Accounts: accounts()})
	served := make(chan error, 1)
	go func() { served <- other.Serve(home) }()
	defer func() {
		other.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	away.SetFaults(stserver.Faults{RedirectTo: "127.0.0.2"})
	for option, want := range map[string]struct{ away, home int }{"follow": {0, 1}, "stay": {1, 0}} {
		conv := mustLogin(t, away.settings("redirect", option), "alice", newSink())
		if a, h := away.Sessions(), other.Sessions(); a != want.away || h != want.home {
			t.Errorf("redirect=%s: %d sessions where the login began and %d where it was sent, want %+v", option, a, h, want)
		}
		if err := conv.Logout(t.Context()); err != nil {
			t.Error(err)
		}
	}
	other.SetFaults(stserver.Faults{RedirectTo: "127.0.0.1"})
	_, err = login(t, away.settings(), "alice", newSink())
	if code(err) != domain.RejectUpstreamRefused || !strings.Contains(err.Error(), "passed on by more than") {
		t.Errorf("Login to servers that pass it round = %v, want upstream-refused", err)
	}
	away.SetFaults(stserver.Faults{RedirectTo: "127.0.0.1"}) // itself
	mustLogin(t, away.settings(), "alice", newSink())
}

// secured puts TLS in front of a double, and gives the settings that trust it.
func secured(t *testing.T, d *double, name string) (domain.Settings, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, DNSNames: []string{name}}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	server := d.Server
	go func() {
		defer close(served)
		_ = server.Serve(l) // ends when the double is closed
	}()
	t.Cleanup(func() {
		l.Close()
		<-served
	})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	settings := d.settings("tls", "direct", "ca-file", file)
	settings.Address = l.Addr().String()
	return settings, base64.StdEncoding.EncodeToString(sum[:])
}

func TestTLS(t *testing.T) {
	d := start(t, stserver.Config{})
	good, pin := secured(t, d, "127.0.0.1")
	elsewhere, _ := secured(t, d, "elsewhere.example")
	with := func(s domain.Settings, options ...string) domain.Settings {
		s.Options = map[string]string{"tls": "direct"}
		for i := 0; i < len(options); i += 2 {
			s.Options[options[i]] = options[i+1]
		}
		return s
	}
	noTLS := with(d.settings())
	for name, c := range map[string]struct {
		settings domain.Settings
		want     domain.RejectCode
		says     string
	}{
		"the right authority":               {good, 0, ""},
		"the right pin":                     {with(good, "pin-sha256", pin), 0, ""},
		"plain and weak logins inside":      {with(good, "pin-sha256", pin, "login", "plain"), 0, ""},
		"another name":                      {elsewhere, domain.RejectUpstreamUnreachable, "must be for the host"},
		"no authority":                      {with(good), domain.RejectUpstreamUnreachable, "set ca-file or pin-sha256"},
		"another pin":                       {with(elsewhere, "pin-sha256", pin), domain.RejectUpstreamUnreachable, "set pin-sha256 anew"},
		"a server without TLS on that port": {noTLS, domain.RejectUpstreamUnreachable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := login(t, c.settings, "alice", newSink())
			if code(err) != c.want || c.want == 0 && err != nil || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("Login = %v, want the code %v and %q", err, c.want, c.says)
			}
		})
	}
}

func TestLoggedInElsewhere(t *testing.T) {
	d := start(t, stserver.Config{SingleLogin: true})
	s := newSink()
	mustLogin(t, d.settings(), "alice", s)
	mustLogin(t, d.settings(), "alice", newSink())
	closed := eventually(t, s, "Closed", func(broker.Closed) bool { return true })
	if code(closed.Err) != domain.RejectUpstreamRefused || !strings.Contains(closed.Err.Error(), "logged in elsewhere") {
		t.Errorf("Closed = %v, want upstream-refused that tells of the other login", closed.Err)
	}
}

func TestKicked(t *testing.T) {
	d := start(t, stserver.Config{})
	s := newSink()
	conv := mustLogin(t, d.settings(), "alice", s)
	d.Kick(userID("alice"), wire.UserRemoved)
	closed := eventually(t, s, "Closed", func(broker.Closed) bool { return true })
	if !strings.Contains(closed.Err.Error(), "an administrator has removed the user") {
		t.Errorf("Closed = %v, want the reason", closed.Err)
	}
	if err := conv.SetPresence(t.Context(), broker.OwnPresence{Show: broker.ShowAway}); err == nil {
		t.Error("SetPresence after Closed succeeded")
	}
	if err := conv.Logout(context.Background()); err != nil {
		t.Errorf("Logout after Closed = %v", err)
	}
}
