package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"rollcall/adapters/sametime/seal"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encrypter(t testing.TB, key []byte) *seal.Cipher {
	t.Helper()
	c, err := seal.NewEncrypter(key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func decrypter(t testing.TB, key []byte) *seal.Cipher {
	t.Helper()
	c, err := seal.NewDecrypter(key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The vectors of these tests were made and checked with libmeanwhile 1.1.1, the
// library that real clients use.

func TestCipherVectors(t *testing.T) {
	const hex128 = "000102030405060708090a0b0c0d0e0f"
	for name, c := range map[string]struct {
		key, text string   // hexadecimal
		want      []string // the same text, again and again
	}{
		"40 bits":           {"0102030405", "736563726574", []string{"a9f7ea4d5b953330"}},
		"40 bits, a block":  {"0102030405", "70617373776f7264", []string{"9fdd5d767dce9061a82fad30dc22e5be"}},
		"128 bits":          {hex128, "736563726574", []string{"11e8715e06ec00a0"}},
		"128 bits, longer":  {hex128, "012345670006736563726574", []string{"3e4a16c07c97987f3243e2d2ba349300"}},
		"chained":           {"414c494345", "0000000100026869", []string{"d3bda3ba042d328e7559ecc48cf116d4", "6bd46486aae6814fac8d68e23c5407ad"}},
		"the login's block": {"d470f1594e76746f740e5bebccc47c73", "012345670006736563726574", []string{"f1ea4e48ab4ebddc403b06371f6c4460"}},
	} {
		t.Run(name, func(t *testing.T) {
			key, text := unhex(t, c.key), unhex(t, c.text)
			there, back := encrypter(t, key), decrypter(t, key)
			for i, want := range c.want {
				got := there.Encrypt(text)
				if hex.EncodeToString(got) != want {
					t.Errorf("text %d: Encrypt = %x, want %s", i+1, got, want)
				}
				if plain, err := back.Decrypt(got); err != nil || !bytes.Equal(plain, text) {
					t.Errorf("text %d: Decrypt = %x, %v, want %x", i+1, plain, err, text)
				}
			}
		})
	}
}

func TestExchangeVectors(t *testing.T) {
	a, b := seal.KeyPairFrom(bytes.Repeat([]byte{0x11}, 64)), seal.KeyPairFrom(bytes.Repeat([]byte{0x22}, 64))
	publicA := "147bf4f25dd85cb0c05e240b142ae30920782e87e1dfc409e44a2a5476d1a493c54ecc4a7284fafd16e1e38e2a0c5e6632dccf4c5f4a260e04b45fb535502c02"
	publicB := "66dcf2ec504d378ab86d456f29e7c61a8113e6c66594eb185216468adad4b31ae08694ccc430d451cd7c9d72022980a119a87b0c1976c4b533f20eaeef265102"
	if got := hex.EncodeToString(a.Public()); got != publicA {
		t.Errorf("the first public number is %s, want %s", got, publicA)
	}
	if got := hex.EncodeToString(b.Public()); got != publicB {
		t.Errorf("the second public number is %s, want %s", got, publicB)
	}
	const want = "d470f1594e76746f740e5bebccc47c73"
	for name, shared := range map[string]func() ([]byte, error){
		"a with b":                   func() ([]byte, error) { return a.Shared(unhex(t, publicB)) },
		"b with a":                   func() ([]byte, error) { return b.Shared(unhex(t, publicA)) },
		"a with b and leading zeros": func() ([]byte, error) { return a.Shared(unhex(t, "0000"+publicB)) },
	} {
		if got, err := shared(); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: Shared = %x, %v, want %s", name, got, err, want)
		}
	}
}

func TestSharedRefuses(t *testing.T) {
	prime := unhex(t, "cf84afce86ddfa527f136d10357528eefba0afef808f29174e3b6a9e970001717c8f106c41c161a6ce91057b34da62cbb87bfdc1b35c1b910fea72249d566b9f")
	one := big.NewInt(1)
	below := new(big.Int).Sub(new(big.Int).SetBytes(prime), one).Bytes()
	for name, public := range map[string][]byte{
		"nothing":       nil,
		"zero":          make([]byte, 64),
		"one":           {1},
		"minus one":     below,
		"the prime":     prime,
		"more than it":  bytes.Repeat([]byte{0xff}, 64),
		"far too large": bytes.Repeat([]byte{0xff}, 100_000),
	} {
		if _, err := seal.NewKeyPair().Shared(public); !errors.Is(err, seal.ErrPublic) {
			t.Errorf("%s: Shared = %v, want ErrPublic", name, err)
		}
	}
}

func TestExchangeAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes64 := rapid.SliceOfN(rapid.Byte(), 2, 64)
		a, b := seal.KeyPairFrom(bytes64.Draw(t, "a")), seal.KeyPairFrom(bytes64.Draw(t, "b"))
		x, errX := a.Shared(b.Public())
		y, errY := b.Shared(a.Public())
		if errX == nil && errY == nil && !bytes.Equal(x, y) {
			t.Errorf("the sides come to %x and %x", x, y)
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	f.Add([]byte("12345"), []byte("12345678"))
	f.Fuzz(func(t *testing.T, key, text []byte) {
		back, err := seal.NewDecrypter(key)
		if err != nil {
			return
		}
		plain, err := back.Decrypt(text)
		if err != nil {
			if !errors.Is(err, seal.ErrCiphertext) {
				t.Errorf("Decrypt = %v, want ErrCiphertext", err)
			}
			return
		}
		if again := encrypter(t, key).Encrypt(plain); !bytes.Equal(again, text) {
			t.Errorf("Encrypt(Decrypt(%x)) = %x", text, again)
		}
	})
}
