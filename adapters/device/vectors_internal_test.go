package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/flynn/noise"

	"rollcall/domain/broker"
)

var update = flag.Bool("update", false, "write testdata/vectors.txt anew")

// fixedKey gives a key pair whose private half is one byte over and over.
func fixedKey(t *testing.T, b byte) Key {
	t.Helper()
	k, err := KeyOf(bytes.Repeat([]byte{b}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// end is one end of a scripted handshake with a fixed ephemeral key.
func end(t *testing.T, own Key, peer []byte, p Preamble, initiator bool, ephemeral byte) *noise.HandshakeState {
	t.Helper()
	c := handshakeConfig(own.pair, peer, p, initiator)
	c.Random = bytes.NewReader(bytes.Repeat([]byte{ephemeral}, keySize))
	s, err := noise.NewHandshakeState(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// vectors plays a login with fixed keys and gives what the wire carries.
func vectors(t *testing.T) string {
	t.Helper()
	server, device := fixedKey(t, 1), fixedKey(t, 2)
	p := Preamble{Version: Version, Token: Token{1, 2, 3, 4, 5, 6, 7, 8}}
	i, r := end(t, device, server.Public(), p, true, 3), end(t, server, nil, p, false, 4)
	opening, err := appendOpening(nil, openLogin("chat", "alice", "secret"))
	must(t, err)
	one, _, _, err := i.WriteMessage(nil, nil)
	must(t, err)
	_, _, _, err = r.ReadMessage(nil, one)
	must(t, err)
	two, _, _, err := r.WriteMessage(nil, nil)
	must(t, err)
	_, _, _, err = i.ReadMessage(nil, two)
	must(t, err)
	three, toServerState, _, err := i.WriteMessage(nil, opening)
	must(t, err)
	_, _, toDeviceState, err := r.ReadMessage(nil, three)
	must(t, err)

	answer := broker.Accepted{Session: 300, Resume: server.Public(), StatusInterval: 60e9, Fence: 1}
	accepted, err := appendFrame(nil, mustMarshal(t, toDevice(answer)), answerPad)
	must(t, err)
	record, err := toDeviceState.Encrypt(nil, nil, accepted)
	must(t, err)
	status, err := appendFrame(nil, mustMarshal(t, toServer(broker.Status{})), 0)
	must(t, err)
	statusRecord, err := toServerState.Encrypt(nil, nil, status)
	must(t, err)
	enrolment, err := Enrolment{ServerKey: server.Public(), Address: "im.example:3101", Secret: []byte("secret"), Token: p.Token}.Reveal()
	must(t, err)

	digest := sha256.Sum256(dictionary)
	var b strings.Builder
	for _, v := range []struct {
		name  string
		value []byte
	}{
		{"server static public key", server.Public()},
		{"device static public key", device.Public()},
		{"preamble, and prologue", p.Append(nil)},
		{"message 1", one},
		{"message 2", two},
		{"opening, first 40 bytes of 256", opening[:40]},
		{"message 3, first 64 bytes of 320", three[:64]},
		{"message 3, last 16 bytes", three[len(three)-16:]},
		{"handshake hash, first 32 bytes of 64", i.ChannelBinding()[:32]},
		{"accepted, first 64 bytes of 128", accepted[:64]},
		{"accepted record's body, first 32 bytes of 144", record[:32]},
		{"accepted record's body, last 16 bytes", record[len(record)-16:]},
		{"accepted, compressed and padded, first 34 bytes of 128", squeezed(t)},
		{"SHA-256 of dictionary.txt", digest[:]},
		{"status", status},
		{"status record's body", statusRecord},
	} {
		fmt.Fprintf(&b, "%s:\n  %x\n", v.name, v.value)
	}
	sealed := sealedVector(t, device)
	fmt.Fprintf(&b, "the frame in the sealed item:\n  %x\n", openByHand(t, device, 42, sealed))
	fmt.Fprintf(&b, "sealed item:\n  %x\n  %x\n", sealed[:keySize], sealed[keySize:])
	fmt.Fprintf(&b, "enrolment string:\n  %s\n", enrolment)
	return b.String()
}

// squeezed gives a compressed frame: fixed, as compressors may differ, and found
// to hold an Accepted whose secret is 32 times the byte 5.
func squeezed(t *testing.T) []byte {
	t.Helper()
	frame, err := hex.DecodeString("03001f28b52ffd010001ad0000700a2b08ac0212200518e0d4032001015408021c04")
	must(t, err)
	m, err := parseFrame(append(frame, make([]byte, answerPad-len(frame))...), nil)
	must(t, err)
	want := broker.Accepted{Session: 300, Resume: bytes.Repeat([]byte{5}, 32), StatusInterval: 60e9, Fence: 1}
	if !bytes.Equal(m, mustMarshal(t, toDevice(want))) {
		t.Errorf("the compressed frame holds %x", m)
	}
	return frame
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVectorsHoldAndAreDocumented(t *testing.T) {
	got := vectors(t)
	const path = "testdata/vectors.txt"
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("the wire has changed; a changed wire needs a new version. Got:\n%s", got)
	}
	doc, err := os.ReadFile("../../docs/device-link.md")
	must(t, err)
	if !strings.Contains(string(doc), string(want)) {
		t.Errorf("docs/device-link.md does not contain %s", path)
	}
}
