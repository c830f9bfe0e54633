package xmpp

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
)

// TestSettingsAreReadOnce shows that sessions of a service share what was made of
// its settings, until those or the ca-file change.
func TestSettingsAreReadOnce(t *testing.T) {
	authority := xmpptest.NewCertificate(t, "a.test")
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	put := func(from string, at time.Time) {
		pem, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(caFile, pem, 0o600)
		}
		if err == nil {
			err = os.Chtimes(caFile, at, at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	put(authority.CAFile, began)
	settings := domain.Settings{Kind: domain.KindXMPP, Address: "a.test:5222", Options: map[string]string{"ca-file": caFile}}
	var cache optionCache
	get := func() *options {
		o, err := cache.get(settings)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	first := get()
	config := first.tlsConfig("a.test")
	if again := get(); again != first || again.tlsConfig("a.test") != config {
		t.Error("the same settings are read anew for each session")
	}
	if first.tlsConfig("b.test") == config {
		t.Error("two domains share a TLS configuration")
	}
	put(xmpptest.NewCertificate(t, "a.test").CAFile, began.Add(time.Second))
	if get() == first {
		t.Error("a ca-file that has changed is not read again")
	}
	if err := os.Remove(caFile); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.get(settings); err == nil {
		t.Error("a ca-file that is gone goes unnoticed")
	}
	for i := range 3 * maxKnown {
		if _, err := cache.get(domain.Settings{Kind: domain.KindXMPP, Address: fmt.Sprintf("%d.test:5222", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(cache.known) > maxKnown {
		t.Errorf("%d settings are kept, want %d at most", len(cache.known), maxKnown)
	}
}
