package device

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

func FuzzPreamble(f *testing.F) {
	f.Add(Preamble{Version: Version, Token: Token{1, 2}}.Append(nil))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPreamble(bytes.NewReader(b))
		if err == nil && !bytes.Equal(p.Append(nil), b[:preambleSize]) {
			t.Errorf("%x was read as %+v", b[:preambleSize], p)
		}
	})
}

func FuzzFrame(f *testing.F) {
	for _, m := range [][]byte{nil, []byte("short"), bytes.Repeat([]byte("long "), 50)} {
		for _, pad := range []int{0, 256} {
			frame, err := appendFrame(nil, m, pad)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(frame)
		}
	}
	f.Add(bomb(f, 1<<20))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseFrame(b, nil)
		if err != nil {
			return
		}
		if len(m) > maxMessage && len(m) > len(b) {
			t.Fatalf("a frame of %d bytes became a message of %d", len(b), len(m))
		}
		frame, err := appendFrame(nil, m, 0)
		if err != nil {
			return // it may be too long once it is packed otherwise
		}
		if again, err := parseFrame(frame, nil); err != nil || !bytes.Equal(again, m) {
			t.Errorf("%x became %x (%v)", m, again, err)
		}
	})
}

// FuzzRecord reads records from arbitrary bytes: none is authentic, and none may
// do harm.
func FuzzRecord(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add(append([]byte{0, 20}, make([]byte, 20)...))
	in := shakeHands(f).in
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &channel{conn: &pipeEnd{Reader: bytes.NewReader(b)}, in: in}
		if err := c.receive(new(linkpb.ToDevice)); err == nil {
			t.Errorf("%x was taken for a record", b)
		}
	})
}

func FuzzToServer(f *testing.F) {
	f.Add(mustMarshal(f, toServer(broker.Send{ID: "1", To: "bob", Body: "hi"})))
	f.Add(mustMarshal(f, toServer(broker.SetPresence{Presence: broker.OwnPresence{Show: broker.ShowIdle}})))
	f.Add(mustMarshal(f, openLogin("a", "b", "c")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m linkpb.ToServer
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		_ = checkOpening(&m)
		v, err := fromDevice(&m)
		if err != nil {
			return
		}
		if again, err := fromDevice(toServer(v)); err != nil || again != v {
			t.Errorf("%#v became %#v (%v)", v, again, err)
		}
	})
}

func FuzzToDevice(f *testing.F) {
	f.Add(mustMarshal(f, toDevice(broker.Item{Number: 1, Body: broker.MessageReceived{From: "a", Body: "b"}})))
	f.Add(mustMarshal(f, toDevice(broker.Accepted{Session: 1, Resume: []byte("x")})))
	f.Add(mustMarshal(f, toDevice(broker.Item{Number: 1, Body: broker.Sealed("x")})))
	f.Add(mustMarshal(f, toDevice(broker.State{Number: 1, Body: broker.PresenceChanged{Contact: "a", Show: broker.ShowIdle}})))
	f.Add(mustMarshal(f, toDevice(broker.ComeBack{After: 12e9})))
	f.Add(mustMarshal(f, toDevice(broker.State{Number: 1, Body: broker.RosterReceived{Contacts: []broker.Contact{{Groups: []string{""}}}}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m linkpb.ToDevice
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		v, err := fromServer(&m)
		if err != nil {
			return
		}
		once, err := fromServer(toDevice(v))
		if err != nil {
			t.Fatalf("%#v: %v", v, err)
		}
		twice, err := fromServer(toDevice(once))
		if diff := cmp.Diff(once, twice, cmp.AllowUnexported(statePart{})); err != nil || diff != "" {
			t.Errorf("not stable (%v):\n%s", err, diff)
		}
	})
}

func FuzzEnrolment(f *testing.F) {
	text, err := Enrolment{ServerKey: make([]byte, keySize), Address: "h:1", Secret: []byte("s")}.Reveal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("rollcall:AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseEnrolment(text)
		if err != nil {
			return
		}
		again, err := e.Reveal()
		if back, fault := ParseEnrolment(again); err != nil || fault != nil || !cmp.Equal(back, e) {
			t.Errorf("%q became %q (%v, %v)", text, again, err, fault)
		}
	})
}

func FuzzIdentity(f *testing.F) {
	s := identityState{Format: 1, Key: make([]byte, 32), Server: make([]byte, 32), Address: "h:1", Token: make([]byte, 8),
		Sessions: map[string]*savedSession{"chat": {Session: 1, Outbox: []savedSend{{ID: "1"}}}},
		Left:     []leftSends{{Service: "chat", Account: "alice", Outbox: []savedSend{{ID: "2"}}}}}
	f.Add(s.encode())
	f.Add([]byte(`{"format":4,"new":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseIdentity(b)
		if err != nil || !json.Valid(b) {
			return
		}
		once := s.encode()
		back, err := parseIdentity(once)
		if err != nil || !bytes.Equal(back.encode(), once) {
			t.Errorf("%s became otherwise (%v)", once, err)
		}
	})
}
