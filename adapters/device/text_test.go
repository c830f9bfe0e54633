package device_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/device"
	"rollcall/domain"
)

func TestEnrolmentStringRoundTrip(t *testing.T) {
	want := device.Enrolment{ServerKey: make([]byte, 32), Address: "im.example:3101", Secret: []byte("secret"), Token: device.Token{1}}
	text, err := want.Reveal()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{text, "  " + text + "\n", text[:20] + "\n  " + text[20:]} {
		got, err := device.ParseEnrolment(form)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseEnrolment(%q) = %v (-want +got):\n%s", form, err, diff)
		}
	}
}

func TestEnrolmentStringCutOrMistyped(t *testing.T) {
	text, err := device.Enrolment{ServerKey: make([]byte, 32), Address: "im.example:3101", Secret: []byte("TOPSECRET")}.Reveal()
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(text) {
		refuse(t, text[:n])
		for _, c := range "A_" {
			if wrong := text[:n] + string(c) + text[n+1:]; wrong != text {
				refuse(t, wrong)
			}
		}
	}
}

func refuse(t *testing.T, text string) {
	t.Helper()
	var fault *device.EnrolmentError
	if _, err := device.ParseEnrolment(text); !errors.As(err, &fault) {
		t.Errorf("ParseEnrolment(%q) = %v, want an EnrolmentError", text, err)
	} else if strings.Contains(err.Error(), "TOPSECRET") {
		t.Errorf("the error holds the secret: %v", err)
	}
}

func TestKeyFileIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.key")
	first, err := device.LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := device.LoadOrCreateKey(path)
	if err != nil || again.String() != first.String() {
		t.Errorf("LoadOrCreateKey = %v, %v, want %v", again, err, first)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) - 1 {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := device.LoadOrCreateKey(path); err == nil {
			t.Errorf("a key file cut to %d bytes was taken", n)
		}
	}
}

func TestJoin(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(t.TempDir(), "identity")
	for secret, want := range map[string]error{"another": device.ErrUnknownSecret, "expired": device.ErrOfferExpired, "spent": device.ErrOfferSpent} {
		h.broker.offers["expired"], h.broker.offers["spent"] = domain.ErrOfferExpired, domain.ErrOfferSpent
		if _, err := device.Join(t.Context(), h.enrolment(secret), path, "test", h.options()); !errors.Is(err, want) {
			t.Errorf("Join with %s = %v, want %v", secret, err, want)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after %v the identity file is there: %v", want, err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("after %v there is still %v, %v", want, left, err)
		}
	}
	if _, err := device.OpenIdentity(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenIdentity = %v, want fs.ErrNotExist", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("looking for an identity left %v, %v", left, err)
	}
	i, err := device.Join(t.Context(), h.enrolment("offer"), path, "Alice's telephone", h.options())
	if err != nil || i.Device() == 0 {
		t.Fatalf("Join = %v, %v", i, err)
	}
	if diff := cmp.Diff([]string{"Alice's telephone"}, h.broker.labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if _, err := device.OpenIdentity(path); !errors.Is(err, device.ErrIdentityInUse) {
		t.Errorf("OpenIdentity = %v, want ErrIdentityInUse", err)
	}
	i.Close()
	if _, err := device.Join(t.Context(), h.enrolment("offer"), path, "test", h.options()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Join again = %v, want fs.ErrExist", err)
	}
}

func TestJoinWhoseAnswerWasLostCompletes(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(t.TempDir(), "identity")
	o := h.options()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := device.Join(ctx, h.enrolment("offer"), path, "test", o); err == nil {
		t.Fatal("Join with a cancelled context succeeded")
	}
	i, err := device.OpenIdentity(path)
	if err != nil {
		t.Fatalf("the key is not on the disk: %v", err)
	}
	h.broker.devices[string(i.PublicKey())] = 42 // it was enrolled, and the answer lost
	h.broker.offers["offer"] = domain.ErrOfferSpent
	i.Close()
	i, err = device.Join(t.Context(), h.enrolment("offer"), path, "test", o)
	if err != nil || i.Device() != 42 {
		t.Fatalf("Join = %v, %v, want device 42", i, err)
	}
	i.Close()
}

func TestUnknownDeviceIsToldSo(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	clear(h.broker.devices)
	if _, err := h.client(i).Login(t.Context(), "chat", "alice", "correct"); !errors.Is(err, device.ErrNoAnswer) {
		t.Errorf("Login = %v, want ErrNoAnswer", err)
	}
	if _, err := h.client(i).Resume("chat"); !errors.Is(err, device.ErrNoSession) {
		t.Errorf("Resume = %v, want ErrNoSession", err)
	}
}
