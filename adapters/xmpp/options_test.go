package xmpp_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rollcall/adapters/xmpp"
	"rollcall/domain"
)

func refusedSettings() map[string]domain.Settings {
	option := func(name, value string) domain.Settings {
		return domain.Settings{Kind: domain.KindXMPP, Address: "127.0.0.1:5222", Options: map[string]string{name: value}}
	}
	return map[string]domain.Settings{
		"address":    {Kind: domain.KindXMPP, Address: "no port"},
		"domain":     option("domain", "two words"),
		"tls":        option("tls", "maybe"),
		"ca-file":    option("ca-file", "/nowhere/ca.pem"),
		"pin-sha256": option("pin-sha256", "c2hvcnQ="),
		"plain":      option("plain", "sometimes"),
		"resume":     option("resume", "yes"),
		"colour":     option("colour", "blue"),
	}
}

func TestCheck(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const clear = "none-for-loopback-tests-only"
	for _, c := range []struct {
		name    string
		address string
		options map[string]string
		blames  string // empty: taken
	}{
		{"nothing set", "", nil, ""},
		{"everything set", "xmpp.example.org:5223", map[string]string{"domain": "Example.org", "tls": "direct", "plain": "never", "resume": "on"}, ""},
		{"in the clear on loopback", "127.0.0.1:5222", map[string]string{"tls": clear}, ""},
		{"in the clear on IPv6 loopback", "[::1]:5222", map[string]string{"tls": clear}, ""},
		{"in the clear elsewhere", "192.0.2.1:5222", map[string]string{"tls": clear}, "tls"},
		{"in the clear to a name", "localhost:5222", map[string]string{"tls": clear}, "tls"},
		{"in the clear by SRV", "", map[string]string{"tls": clear}, "tls"},
		{"port zero", "127.0.0.1:0", nil, "address"},
		{"no host", ":5222", nil, "address"},
		{"an empty ca-file", "", map[string]string{"ca-file": empty}, "ca-file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := xmpp.New().Check(domain.Settings{Kind: domain.KindXMPP, Address: c.address, Options: c.options})
			var e *domain.SettingError
			switch {
			case c.blames == "" && err != nil:
				t.Errorf("Check = %v, want no error", err)
			case c.blames != "" && (!errors.As(err, &e) || e.Setting != c.blames || e.Problem == "" || e.Next == ""):
				t.Errorf("Check = %v, want a *domain.SettingError that blames %s", err, c.blames)
			}
		})
	}
}
