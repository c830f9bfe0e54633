package wire_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/sametime/wire"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// step is one frame of testdata/session.txt: what the common client library and a
// server of its liking say to each other.
type step struct {
	side  wire.Side
	frame []byte // with its length
	trace string
}

func session(t testing.TB) (steps []step) {
	t.Helper()
	file, err := os.Open("testdata/session.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "→ "), strings.HasPrefix(line, "← "):
			side := map[bool]wire.Side{true: wire.FromClient, false: wire.FromServer}[strings.HasPrefix(line, "→ ")]
			steps = append(steps, step{side: side, frame: unhex(t, line[len("→ "):])})
		case strings.HasPrefix(line, "  "):
			last := &steps[len(steps)-1]
			last.trace += strings.TrimPrefix(line, "  ") + "\n"
		}
	}
	return steps
}

// traceOf gives the traces of a message and of the service message in it. services
// remembers what channels are for.
func traceOf(t *testing.T, s step, m wire.Message, services map[uint32]wire.Service) string {
	t.Helper()
	text := wire.Trace(m) + "\n"
	switch m := m.(type) {
	case *wire.ChannelCreate:
		services[m.Channel] = m.Service
	case *wire.ChannelSend:
		inner, err := wire.DecodeService(services[m.Channel], s.side, m.Kind, m.Data)
		if m.Encrypted {
			return text
		}
		if err != nil {
			t.Fatal(err)
		}
		text += wire.Trace(inner) + "\n"
		again, err := wire.Marshal(inner)
		if err != nil || !bytes.Equal(again, m.Data) {
			t.Errorf("encoding %s gives\n%x, %v, want\n%x", wire.Trace(inner), again, err, m.Data)
		}
	}
	return text
}

// TestSession reads a session, shows it, and writes it again: what the client said
// byte for byte; a server may leave out what nobody knows the meaning of.
func TestSession(t *testing.T) {
	steps := session(t)
	if len(steps) < 20 {
		t.Fatalf("testdata/session.txt holds %d frames", len(steps))
	}
	services := make(map[uint32]wire.Service)
	for _, s := range steps {
		frame, err := wire.NewFrameReader(bytes.NewReader(s.frame)).Next()
		if err != nil {
			t.Fatalf("%x: %v", s.frame, err)
		}
		m, err := wire.Decode(frame)
		if err != nil {
			t.Fatalf("Decode(%x) = %v", frame, err)
		}
		if diff := cmp.Diff(s.trace, traceOf(t, s, m, services)); diff != "" {
			t.Errorf("trace of %x (-want +got):\n%s", s.frame, diff)
		}
		again, err := wire.Append(nil, m)
		if err != nil || s.side == wire.FromClient && !bytes.Equal(again, s.frame) {
			t.Fatalf("Append(%s) =\n%x, %v, want\n%x", wire.Trace(m), again, err, s.frame)
		}
		if same, err := wire.Decode(again[4:]); err != nil || cmp.Diff(m, same) != "" {
			t.Errorf("Decode(Append(%s)) = %v (-want +got):\n%s", wire.Trace(m), err, cmp.Diff(m, same))
		}
	}
}

// TestFramesInPieces reads the session from one stream with single bytes between
// frames, in pieces of all sizes.
func TestFramesInPieces(t *testing.T) {
	var stream []byte
	var want [][]byte
	for i, s := range session(t) {
		stream = append(stream, wire.KeepAlive, byte(0x81+i%0x7f))
		stream = append(stream, s.frame...)
		stream = append(stream, 0, 0, 0, 0) // an empty frame
		want = append(want, s.frame[4:])
	}
	for name, from := range map[string]io.Reader{
		"whole":        bytes.NewReader(stream),
		"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
		"in halves":    iotest.HalfReader(bytes.NewReader(stream)),
		"error late":   iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		var got [][]byte
		r := wire.NewFrameReader(from)
		frame, err := r.Next()
		for ; err == nil; frame, err = r.Next() {
			got = append(got, frame)
		}
		if err != io.EOF {
			t.Errorf("%s: the stream ends with %v, want EOF", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFramesRefused(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		text   string // of a *FrameError; empty: an end in the middle
	}{
		"an HTTP server": {"HTTP/1.1 400 Bad Request", `begins with "HTTP"`},
		"100 MB":         {"\x06\x40\x00\x00 and so on", "104857600 bytes"},
		"half a length":  {"\x00\x00", ""},
		"half a message": {"\x00\x00\x10\x00half", ""},
		"all of 1 MiB":   {"\x00\x10\x00\x00", ""},
	} {
		_, err := wire.NewFrameReader(strings.NewReader(c.stream)).Next()
		var frame *wire.FrameError
		switch {
		case c.text == "" && err != io.ErrUnexpectedEOF:
			t.Errorf("%s: Next = %v, want an unexpected end", name, err)
		case c.text != "" && (!errors.As(err, &frame) || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: Next = %v, want a *FrameError with %q", name, err, c.text)
		}
	}
}

// TestFrameMemory claims much and sends little.
func TestFrameMemory(t *testing.T) {
	claim := "\x00\x10\x00\x00" + strings.Repeat("x", 100)
	made := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			_, _ = wire.NewFrameReader(strings.NewReader(claim)).Next() // fails, see above
		}
	}).AllocedBytesPerOp()
	if made > 64<<10 {
		t.Errorf("a frame that claims 1 MiB and sends 100 bytes takes %d bytes", made)
	}
}

func TestDecodeErrorsNameTheField(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		want  string
	}{
		"half a header":         {"0001 0000", "decode header: channel: 4 bytes wanted, 0 are left"},
		"a string cut short":    {"8001 0000 00000000 000f 41", "decode LOGIN_ACK: login.login_id: 15 bytes wanted, 1 are left"},
		"an opaque too large":   {"0004 0000 00000001 0064 ffffffff", "decode CHANNEL_SEND: data: 2147483647 bytes wanted, 0 are left"},
		"a count too large":     {"000b 0000 00000000 01 40000000", "decode SET_PRIVACY_LIST: privacy.users: 1073741824 items cannot stand in 0 bytes"},
		"attributes too large":  {"0004 8000 00000001 000000ff", "decode header: attributes: 255 bytes wanted, 0 are left"},
		"a list inside a block": {"0002 0000 00000000 00000000 00000001 0000 0000 00000011 00000011 00030005 00000000 00000000 00 0001 00000004 00000009", "decode CHANNEL_CREATE: encryption.offer.ciphers: 9 items cannot stand in 0 bytes"},
	} {
		_, err := wire.Decode(unhex(t, c.frame))
		var e *wire.DecodeError
		if !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("%s: Decode = %v, want %s", name, err, c.want)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	long := strings.Repeat("x", wire.MaxString+1)
	for name, m := range map[string]wire.Message{
		"a string too long": &wire.Admin{Text: long},
		"a frame too large": &wire.ChannelSend{Data: make([]byte, wire.MaxFrame)},
	} {
		var e *wire.EncodeError
		b, err := wire.Append([]byte("before"), m)
		if !errors.As(err, &e) || string(b) != "before" {
			t.Errorf("%s: Append = %q, %v, want what was there and an *EncodeError", name, b, err)
		}
	}
}

func TestTraceHidesPasswords(t *testing.T) {
	for _, p := range []wire.Part{
		&wire.Login{Name: "alice", Auth: []byte("hunter2")},
		&wire.PlainAuth{Password: "hunter2"},
		&wire.RC2Auth{Key: []byte("hunter2"), Sealed: []byte("hunter2")},
		&wire.DHAuth{Sealed: []byte("hunter2")},
		&wire.SealedPassword{Password: "hunter2"},
	} {
		text := wire.Trace(p)
		if strings.Contains(text, "hunter2") || strings.Contains(text, hex.EncodeToString([]byte("hunter2"))) {
			t.Errorf("Trace shows the password: %s", text)
		}
	}
}

// TestEndMarks reads a presence whose end mark is right, zero, or that of a block
// with more in it.
func TestEndMarks(t *testing.T) {
	const known = "0002 0003626f62 0000 0000 00"
	for name, data := range map[string]string{
		"right":           "00000001 00000014" + known,
		"zero":            "00000001 00000000" + known,
		"behind the end":  "00000001 0000ffff" + known,
		"more than known": "00000001 00000016" + known + "abcd",
	} {
		m, err := wire.DecodeService(wire.ServiceAwareness, wire.FromServer, 0x1f4, unhex(t, data))
		want := &wire.AwareSnapshot{Entries: []wire.AwareEntry{{ID: wire.AwareID{Kind: wire.AwareUser, ID: "bob"}}}}
		if diff := cmp.Diff(wire.ServiceMessage(want), m); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestContactList(t *testing.T) {
	const text = "Version=3.1.3\r\nG Work2 Work;Mates O\r\nU CN=Bob;Smith/O=Acme1:: Bob;Smith,Bobby\r\nU eve1:: Eve,\r\nG Staff3 Staff C\r\n"
	want := wire.ContactList{Groups: []wire.ContactGroup{
		{ID: "Work", Kind: wire.GroupPrivate, Title: "Work Mates", Open: true, Users: []wire.ContactUser{
			{ID: "CN=Bob Smith/O=Acme", Kind: wire.UserInternal, Name: "Bob Smith", Alias: "Bobby"},
			{ID: "eve", Kind: wire.UserInternal, Name: "Eve"},
		}},
		{ID: "Staff", Kind: wire.GroupDirectory, Title: "Staff"},
	}}
	got := wire.ParseContactList(text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ParseContactList (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(text, got.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
	odd := wire.ParseContactList("nonsense\nU x\nG\nU early1:: Early\nU 1:: no id,\nU a:b2:: Last, First,al\n")
	want = wire.ContactList{Groups: []wire.ContactGroup{{Kind: wire.GroupPrivate, Open: true, Users: []wire.ContactUser{
		{ID: "early", Kind: '1', Name: "Early"}, {ID: "a:b", Kind: '2', Name: "Last, First", Alias: "al"},
	}}}}
	if diff := cmp.Diff(want, odd); diff != "" {
		t.Errorf("ParseContactList of an odd list (-want +got):\n%s", diff)
	}
}
