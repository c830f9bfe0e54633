package rc2_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"rollcall/adapters/sametime/rc2"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectors are those of RFC 2268 section 5.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		key               string
		bits              int
		plain, ciphertext string
	}{
		{"0000000000000000", 63, "0000000000000000", "ebb773f993278eff"},
		{"ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"},
		{"88", 64, "0000000000000000", "61a8a244adacccf0"},
		{"88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"},
		{"88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"},
		{"88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"},
		{"88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e", 129, "0000000000000000", "5b78d3a43dfff1f1"},
	} {
		b, err := rc2.New(unhex(t, c.key), c.bits)
		if err != nil {
			t.Fatalf("New(%s, %d) = %v", c.key, c.bits, err)
		}
		got := make([]byte, b.BlockSize())
		b.Encrypt(got, unhex(t, c.plain))
		if hex.EncodeToString(got) != c.ciphertext {
			t.Errorf("Encrypt(%s) with %s and %d bits = %x, want %s", c.plain, c.key, c.bits, got, c.ciphertext)
		}
		b.Decrypt(got, got)
		if hex.EncodeToString(got) != c.plain {
			t.Errorf("Decrypt(%s) with %s and %d bits = %x, want %s", c.ciphertext, c.key, c.bits, got, c.plain)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct{ bytes, bits int }{
		"no key":        {0, 64},
		"a key too big": {129, 64},
		"no bits":       {8, 0},
		"too many bits": {8, 1025},
	} {
		var e *rc2.KeyError
		if _, err := rc2.New(make([]byte, c.bytes), c.bits); !errors.As(err, &e) {
			t.Errorf("%s: New = %v, want a *KeyError", name, err)
		}
	}
}

func FuzzDecryptUndoesEncrypt(f *testing.F) {
	f.Add([]byte("key"), 1024, []byte("a block!"))
	f.Add([]byte{1, 2, 3, 4, 5}, 63, []byte("\x00\xff\x00\xff\x00\xff\x00\xff"))
	f.Fuzz(func(t *testing.T, key []byte, bits int, data []byte) {
		b, err := rc2.New(key, bits)
		if err != nil || len(data) < rc2.BlockSize {
			return
		}
		data = data[:rc2.BlockSize]
		there, back := make([]byte, rc2.BlockSize), make([]byte, rc2.BlockSize)
		b.Encrypt(there, data)
		b.Decrypt(back, there)
		if !bytes.Equal(back, data) {
			t.Errorf("Decrypt(Encrypt(%x)) = %x", data, back)
		}
	})
}
