package local

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecodeFile checks that what is read can be written and read again as the
// same.
func FuzzDecodeFile(f *testing.F) {
	h := newHasher()
	s, err := h.make("x", CheapCost)
	if err != nil {
		f.Fatal(err)
	}
	good, err := encodeFile([]account{{"alice", "Alice A.", s}, {"bob", "", s}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format": 1, "accounts": null}`))
	f.Add([]byte(`{"format": 1, "accounts": [{"name": "a", "password": "$argon2id$v=19$m=8,t=1,p=1$$"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		accounts, err := decodeFile(data)
		if err != nil {
			return
		}
		encoded, err := encodeFile(accounts)
		if err != nil {
			t.Fatalf("encode what was decoded: %v", err)
		}
		again, err := decodeFile(encoded)
		if err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
		if diff := cmp.Diff(accounts, again, cmp.AllowUnexported(secret{})); len(accounts) > 0 && diff != "" {
			t.Errorf("decoded again (-want +got):\n%s", diff)
		}
	})
}

const reference = "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Gpj7qOY5RCXJvcMzqcdQqvgR3wcPX7SleI4c9NtXk6E"

// TestSecretOfTheReference takes a hash that the argon2 command of the reference
// implementation printed: echo -n password | argon2 somesaltsomesalt -id -t 2 -k 64 -p 1 -e
func TestSecretOfTheReference(t *testing.T) {
	var s secret
	if err := s.UnmarshalText([]byte(reference)); err != nil {
		t.Fatal(err)
	}
	h := newHasher()
	for password, want := range map[string]bool{"password": true, "Password": false, "": false} {
		got, err := h.matches(t.Context(), password, s)
		if err != nil || got != want {
			t.Errorf("matches(%q) = %t, %v; want %t", password, got, err, want)
		}
	}
}

// TestHasherIsBounded takes every slot and finds that the next one waits, and
// only as long as its context lets it.
func TestHasherIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		for range cap(h.slots) {
			h.slots <- struct{}{}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := h.matches(ctx, "x", secret{cost: CheapCost}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("matches with every slot taken = %v, want the end of its context", err)
		}
	})
}

// TestUnknownAccountCostsTheSame looks at what is hashed, not at a stopwatch.
func TestUnknownAccountCostsTheSame(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "accounts.json"), DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	empty := &directory{}
	if got := s.decoy(empty, "x").cost; got != DefaultCost {
		t.Errorf("decoy without accounts costs %+v, want %+v", got, DefaultCost)
	}
	old := &directory{accounts: []account{{Name: "a", Secret: secret{cost: CheapCost}}}}
	if got := s.decoy(old, "x").cost; got != CheapCost {
		t.Errorf("decoy among cheap accounts costs %+v, want %+v", got, CheapCost)
	}
}
