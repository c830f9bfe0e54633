package device

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/chacha20poly1305"
	"pgregory.net/rapid"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

var sealable = broker.MessageReceived{ID: "m-1", From: "bob@example.org", Body: "how are you?", Sent: time.UnixMilli(1_700_000_000_123).UTC()}

func mustSeal(t testing.TB, key Key, number uint64, m broker.MessageReceived) []byte {
	t.Helper()
	b, err := Sealer{}.Seal([keySize]byte(key.Public()), number, m)
	if err != nil {
		t.Fatalf("Seal = %v", err)
	}
	return b
}

func TestSealedIsOpenedByItsDeviceOnly(t *testing.T) {
	key := drawKey(t)
	rapid.Check(t, func(t *rapid.T) {
		m := broker.MessageReceived{ID: rapid.String().Draw(t, "id"), From: rapid.String().Draw(t, "from"), Body: rapid.String().Draw(t, "body")}
		number := rapid.Uint64().Draw(t, "number")
		b, err := Sealer{}.Seal([keySize]byte(key.Public()), number, m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unseal(key, number, b)
		if diff := cmp.Diff(any(m), got); err != nil || diff != "" {
			t.Fatalf("unseal = %v (-want +got):\n%s", err, diff)
		}
	})
	b := mustSeal(t, key, 42, sealable)
	if got, err := unseal(drawKey(t), 42, b); !errors.Is(err, ErrSealed) {
		t.Errorf("another device read %v, %v", got, err)
	}
	if got, err := unseal(key, 43, b); !errors.Is(err, ErrSealed) {
		t.Errorf("under another number it is %v, %v", got, err)
	}
	if bytes.Equal(b, mustSeal(t, key, 42, sealable)) {
		t.Error("the same message was closed twice in the same way")
	}
}

func TestSealedThatWasChangedIsNotOpened(t *testing.T) {
	key := drawKey(t)
	b := mustSeal(t, key, 42, sealable)
	for i := range b {
		for _, flip := range []byte{1, 0x80} {
			changed := bytes.Clone(b)
			changed[i] ^= flip
			if got, err := unseal(key, 42, changed); !errors.Is(err, ErrSealed) {
				t.Errorf("byte %d changed: %v, %v", i, got, err)
			}
		}
		if got, err := unseal(key, 42, b[:i]); !errors.Is(err, ErrSealed) {
			t.Errorf("cut to %d bytes: %v, %v", i, got, err)
		}
	}
	if got, err := unseal(key, 42, append(b, 0)); !errors.Is(err, ErrSealed) {
		t.Errorf("with a byte behind it: %v, %v", got, err)
	}
}

func TestSealForNoKey(t *testing.T) {
	if b, err := (Sealer{}).Seal([keySize]byte{}, 1, sealable); err == nil {
		t.Errorf("for a point of low order: %x", b)
	}
}

func TestTooLongToSealIsANote(t *testing.T) {
	key := drawKey(t)
	random := strings.Repeat("x", 10)
	for _, c := range []struct {
		name string
		body string
		want any
	}{
		{"long, but even", strings.Repeat(random, 20_000), broker.MessageReceived{Body: strings.Repeat(random, 20_000)}},
		{"long", gibberish(maxSealed), broker.Dropped{Count: 1}},
		{"longer than any message", strings.Repeat(random, 40_000), broker.Dropped{Count: 1}},
		{"not text", "a\xffb", broker.MessageReceived{Body: "a\uFFFDb"}},
	} {
		b := mustSeal(t, key, 9, broker.MessageReceived{Body: c.body})
		if len(b) > maxSealed {
			t.Errorf("%s: %d bytes, at most %d fit into a record", c.name, len(b), maxSealed)
		}
		got, err := unseal(key, 9, b)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: unseal = %v (-want +got):\n%.500s", c.name, err, diff)
		}
	}
}

// gibberish gives text that does not become shorter by half when it is compressed.
func gibberish(n int) string {
	var b strings.Builder
	for i := uint64(0); b.Len() < 2*n; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, i))
		b.WriteString(hex.EncodeToString(sum[:]))
	}
	return b.String()
}

// The longest item that is sealed must fit into a record.
func TestLongestSealedItemFits(t *testing.T) {
	item := broker.Item{Number: 1<<64 - 1, Body: broker.Sealed(gibberish(maxSealed)[:maxSealed])}
	m := mustMarshal(t, toDevice(item))
	if frame := 1 + len(m); frame > maxFrame {
		t.Errorf("it takes a frame of %d bytes, at most %d", frame, maxFrame)
	}
}

// openByHand is a second implementation, from RFC 9180's sections 4.1, 5.1 and
// 5.2 alone.
func openByHand(t *testing.T, own Key, number uint64, sealed []byte) []byte {
	t.Helper()
	enc, ciphertext := sealed[:32], sealed[32:]
	peer, err := own.pair.Curve().NewPublicKey(enc)
	must(t, err)
	dh, err := own.pair.ECDH(peer)
	must(t, err)
	extract := func(suite, salt, label string, ikm []byte) string {
		prk, err := hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+suite+label), ikm...), []byte(salt))
		must(t, err)
		return string(prk)
	}
	expand := func(suite, prk, label, info string, n int) string {
		length := string(binary.BigEndian.AppendUint16(nil, uint16(n)))
		b, err := hkdf.Expand(sha256.New, []byte(prk), length+"HPKE-v1"+suite+label+info, n)
		must(t, err)
		return string(b)
	}
	kem, suite := "KEM\x00\x20", "HPKE\x00\x20\x00\x01\x00\x03"
	shared := expand(kem, extract(kem, "", "eae_prk", dh), "shared_secret", string(enc)+string(own.Public()), 32)
	info := binary.BigEndian.AppendUint64([]byte("rollcall device link 1: sealed item "), number)
	context := "\x00" + extract(suite, "", "psk_id_hash", nil) + extract(suite, "", "info_hash", info)
	secret := extract(suite, shared, "secret", nil)
	aead, err := chacha20poly1305.New([]byte(expand(suite, secret, "key", context, 32)))
	must(t, err)
	frame, err := aead.Open(nil, []byte(expand(suite, secret, "base_nonce", context, 12)), ciphertext, nil)
	must(t, err)
	return frame
}

func TestSealedIsWhatTheStandardSays(t *testing.T) {
	key := drawKey(t)
	want, err := appendSealable(nil, toItem(broker.Item{Body: sealable}))
	must(t, err)
	if got := openByHand(t, key, 1<<40, mustSeal(t, key, 1<<40, sealable)); !bytes.Equal(got, want) {
		t.Errorf("opened by hand: %x, want %x", got, want)
	}
}

func TestSealedOverhead(t *testing.T) {
	b := mustSeal(t, drawKey(t), 1, broker.MessageReceived{From: "bob", Body: "hi"})
	if plain := len(mustMarshal(t, toMessage(broker.MessageReceived{From: "bob", Body: "hi"}))); len(b) != plain+51 {
		t.Errorf("%d bytes became %d, want 51 more", plain, len(b))
	}
}

// FuzzUnseal gives a device anything to open: bytes as they come, and bytes that a
// server has closed for it.
func FuzzUnseal(f *testing.F) {
	key, err := KeyOf(bytes.Repeat([]byte{2}, keySize))
	if err != nil {
		f.Fatal(err)
	}
	frame, err := appendSealable(nil, toItem(broker.Item{Body: sealable}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame)
	f.Add(mustSeal(f, key, 1, sealable))
	f.Add(bomb(f, 1<<20))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := unseal(key, 1, b); err == nil && !bytes.Equal(b, nil) && len(b) < sealOverhead {
			t.Errorf("%x was opened: %v", b, got)
		}
		sealed, err := seal([keySize]byte(key.Public()), 1, b)
		if err != nil {
			t.Fatal(err)
		}
		once, err := unseal(key, 1, sealed)
		if m, ok := once.(broker.MessageReceived); ok && err == nil {
			again, err := unseal(key, 1, mustSeal(t, key, 1, m))
			if _, note := again.(broker.Dropped); !note && (err != nil || again != once) {
				t.Errorf("%v became %v (%v)", once, again, err)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	key := [keySize]byte(drawKey(b).Public())
	for b.Loop() {
		if _, err := (Sealer{}).Seal(key, 42, sealable); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnseal(b *testing.B) {
	key := drawKey(b)
	sealed := mustSeal(b, key, 42, sealable)
	for b.Loop() {
		if _, err := unseal(key, 42, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// sealedVector is a sealed item: fixed, as each closing draws a key, and found to
// hold what it should.
func sealedVector(t *testing.T, device Key) []byte {
	t.Helper()
	sealed, err := hex.DecodeString("a502807e20e50d9adaf978e9ea6516cb13f8dd45db7040afee421c9b46af7202" +
		"c1597c2690b6b0d7288c7e850663236554950daa38dd2c68a918f93bcd75f5b1236416df6d3d8ef88b336460776543e9fb5ea87e2d05ada51774af")
	must(t, err)
	got, err := unseal(device, 42, sealed)
	if diff := cmp.Diff(any(sealable), got); err != nil || diff != "" {
		t.Errorf("the sealed item holds (%v) (-want +got):\n%s", err, diff)
	}
	frame := openByHand(t, device, 42, sealed)
	var m linkpb.Item
	must(t, decode(frame, &m))
	return sealed
}
