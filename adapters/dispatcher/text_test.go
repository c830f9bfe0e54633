package dispatcher_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/adapters/dispatcher"
)

func TestPinText(t *testing.T) {
	good := dispatcher.Pin{1, 2, 3}.String()
	cases := []struct {
		name, text string
		ok         bool
	}{
		{"its own text", good, true},
		{"empty", "", false},
		{"no prefix", strings.TrimPrefix(good, "sha256:"), false},
		{"another hash", "sha1:" + good[7:], false},
		{"too short", "sha256:AQID", false},
		{"not base64", "sha256:" + strings.Repeat("!", 44), false},
		{"line break inside", good[:20] + "\n" + good[20:], false},
		{"bits behind the end", good[:len(good)-2] + "B=", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pin, err := dispatcher.ParsePin(c.text)
			var bad *dispatcher.PinError
			switch {
			case c.ok && (err != nil || pin.String() != c.text):
				t.Errorf("ParsePin(%q) = %v, %v, want the same text again", c.text, pin, err)
			case !c.ok && !errors.As(err, &bad):
				t.Errorf("ParsePin(%q) = %v, %v, want a *PinError", c.text, pin, err)
			}
		})
	}
}

func TestTokenText(t *testing.T) {
	token, err := dispatcher.ParseToken("0102030405060708")
	if err != nil || token != (dispatcher.Token{1, 2, 3, 4, 5, 6, 7, 8}) || token.String() != "0102030405060708" {
		t.Errorf("ParseToken = %v, %v", token, err)
	}
	for _, text := range []string{"", "01", "010203040506070809", "010203040506070x"} {
		var bad *dispatcher.TokenError
		if _, err := dispatcher.ParseToken(text); !errors.As(err, &bad) {
			t.Errorf("ParseToken(%q) = %v, want a *TokenError", text, err)
		}
	}
}

func TestIdentityLastsAndIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	first, err := dispatcher.LoadOrCreateIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := dispatcher.LoadOrCreateIdentity(dir)
	if err != nil || again.Pin() != first.Pin() {
		t.Errorf("second load = %v, %v, want the pin %v", again, err, first.Pin())
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v holds %v, want the key alone", dir, files)
	}
	info, err := files[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key = %v, %v, want 0600", info.Mode(), err)
	}
}

func TestTwoProcessesMakeOneIdentity(t *testing.T) {
	dir := t.TempDir()
	pins := make(chan dispatcher.Pin, 8)
	for range cap(pins) {
		go func() {
			id, err := dispatcher.LoadOrCreateIdentity(dir)
			if err != nil {
				t.Error(err)
				id = &dispatcher.Identity{}
			}
			pins <- id.Pin()
		}()
	}
	first := <-pins
	for range cap(pins) - 1 {
		if pin := <-pins; pin != first {
			t.Errorf("pins %v and %v of one folder", first, pin)
		}
	}
}

func TestBadIdentityFiles(t *testing.T) {
	cases := []struct {
		name string
		text string
		mode os.FileMode
		want string
	}{
		{"readable by others", "", 0o644, "chmod 600"},
		{"empty", "", 0o600, "PEM"},
		{"garbage in PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "Ed25519"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "dispatch-link.key")
			if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			var bad *dispatcher.IdentityError
			if _, err := dispatcher.LoadOrCreateIdentity(dir); !errors.As(err, &bad) || !strings.Contains(bad.Problem, c.want) {
				t.Errorf("LoadOrCreateIdentity = %v, want an *IdentityError that says %q", err, c.want)
			}
		})
	}
}

func TestConfigsThatLackSomething(t *testing.T) {
	id, err := dispatcher.LoadOrCreateIdentity(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, noService := dispatcher.New(dispatcher.Config{})
	_, noIdentity := dispatcher.NewLink(dispatcher.LinkConfig{})
	_, noPin := dispatcher.NewLink(dispatcher.LinkConfig{Identity: id})
	_, noHandler := dispatcher.Accept(dispatcher.AcceptConfig{Identity: id})
	for _, c := range []struct{ got, want error }{
		{noService, dispatcher.ErrNoService}, {noIdentity, dispatcher.ErrNoIdentity},
		{noPin, dispatcher.ErrNoPin}, {noHandler, dispatcher.ErrNoHandler},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}

func FuzzPreamble(f *testing.F) {
	f.Add([]byte("RCL1\x01\x00\x00\x00abcdefgh and more"))
	f.Add([]byte("RCL2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		p, err := dispatcher.ReadPreamble(r)
		if err != nil {
			return
		}
		if !bytes.Equal(p[:], b[:16]) || r.Len() != len(b)-16 {
			t.Errorf("ReadPreamble(%x) = %x with %d bytes left", b, p, r.Len())
		}
		if again, err := dispatcher.ReadPreamble(bytes.NewReader(p[:])); err != nil || again != p {
			t.Errorf("read again = %x, %v", again, err)
		}
	})
}

func FuzzParsePin(f *testing.F) {
	f.Add(dispatcher.Pin{}.String())
	f.Fuzz(func(t *testing.T, text string) {
		if pin, err := dispatcher.ParsePin(text); err == nil && pin.String() != text {
			t.Errorf("ParsePin(%q) prints as %q", text, pin)
		}
	})
}

func TestPreambleThatEndsEarly(t *testing.T) {
	if _, err := dispatcher.ReadPreamble(strings.NewReader("RCL1")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ReadPreamble = %v, want io.ErrUnexpectedEOF", err)
	}
}
