package device

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"testing"

	"github.com/flynn/noise"
)

func TestKeysDoTheLibrarysX25519(t *testing.T) {
	own, peer := drawKey(t), drawKey(t)
	k := newKeys(own.pair)
	drawn, err := k.GenerateKeypair(rand.Reader)
	must(t, err)
	for name, private := range map[byte][]byte{static: own.pair.Bytes(), ephemeral: k.held[ephemeral].Bytes()} {
		want, err := noise.DH25519.DH(private, peer.Public())
		must(t, err)
		if got, err := k.DH([]byte{name}, peer.Public()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("DH(key %d) = %x, %v, want %x", name, got, err, want)
		}
	}
	if !bytes.Equal(drawn.Public, k.held[ephemeral].PublicKey().Bytes()) {
		t.Error("the public half of the ephemeral key is another key's")
	}
}

// TestKeysRefuseLowOrder: with such a key anybody knows what the two ends share.
func TestKeysRefuseLowOrder(t *testing.T) {
	k := newKeys(drawKey(t).pair)
	for _, point := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		public, err := hex.DecodeString(point)
		must(t, err)
		if shared, err := k.DH([]byte{static}, public); err == nil {
			t.Errorf("DH(%s) = %x, want an error", point, shared)
		}
	}
}
