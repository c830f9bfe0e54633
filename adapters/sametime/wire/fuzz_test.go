package wire_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/sametime/wire"
)

// stable checks that what a part was read as is what it is read as after writing
// it.
func stable[P wire.Part](t *testing.T, p, again P, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("reading again what %s was written as: %v", wire.Trace(p), err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("after writing and reading again (-first +then):\n%s", diff)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range session(f) {
		f.Add(s.frame[4:])
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := wire.Decode(frame)
		if err != nil {
			return
		}
		_ = wire.Trace(m) // must not panic
		b, err := wire.Append(nil, m)
		if err != nil {
			t.Fatalf("Append(%s) = %v", wire.Trace(m), err)
		}
		again, err := wire.Decode(b[4:])
		stable(t, m, again, err)
	})
}

func FuzzDecodeService(f *testing.F) {
	services := []wire.Service{wire.ServiceAwareness, wire.ServiceResolve, wire.ServiceStorage, wire.ServiceIM, wire.ServiceConference}
	for i := range services {
		for kind := range uint16(8) {
			f.Add(uint8(i), true, kind, []byte("\x00\x00\x00\x01\x00\x00\x00\x01\x00\x01a\x00\x01b"))
		}
	}
	for _, s := range session(f) {
		if m, err := wire.Decode(s.frame[4:]); err == nil {
			if m, is := m.(*wire.ChannelSend); is {
				f.Add(uint8(0), s.side == wire.FromServer, m.Kind, m.Data)
				f.Add(uint8(3), s.side == wire.FromServer, m.Kind, m.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, number uint8, server bool, kind uint16, data []byte) {
		service, side := services[int(number)%len(services)], wire.FromClient
		if server {
			side = wire.FromServer
		}
		m, err := wire.DecodeService(service, side, kind, data)
		if err != nil {
			return
		}
		_ = wire.Trace(m) // must not panic
		b, err := wire.Marshal(m)
		if err != nil {
			t.Fatalf("Marshal(%s) = %v", wire.Trace(m), err)
		}
		again, err := wire.DecodeService(service, side, kind, b)
		stable(t, m, again, err)
	})
}

// FuzzParts reads what stands by itself inside of messages.
func FuzzParts(f *testing.F) {
	empty := []func() wire.Part{
		func() wire.Part { return new(wire.PlainAuth) },
		func() wire.Part { return new(wire.RC2Auth) },
		func() wire.Part { return new(wire.DHAuth) },
		func() wire.Part { return new(wire.SealedPassword) },
		func() wire.Part { return new(wire.IMOffer) },
		func() wire.Part { return new(wire.IMAnswer) },
		func() wire.Part { return new(wire.StringValue) },
		func() wire.Part { return new(wire.ConferenceOffer) },
		func() wire.Part { return new(wire.ConferenceInvitation) },
	}
	for i := range empty {
		f.Add(uint8(i), bytes.Repeat([]byte{0, 1}, 40))
	}
	f.Fuzz(func(t *testing.T, number uint8, data []byte) {
		p, again := empty[int(number)%len(empty)](), empty[int(number)%len(empty)]()
		if wire.Unmarshal(data, p) != nil {
			return
		}
		b, err := wire.Marshal(p)
		if err != nil {
			t.Fatalf("Marshal(%s) = %v", wire.Trace(p), err)
		}
		stable(t, p, again, wire.Unmarshal(b, again))
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x80\x81\x00\x00\x00\x01x\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := wire.NewFrameReader(bytes.NewReader(stream))
		total := 0
		for {
			frame, err := r.Next()
			if err != nil {
				break
			}
			if total += len(frame); len(frame) == 0 || total > len(stream) {
				t.Fatalf("%d bytes of frames out of %d", total, len(stream))
			}
		}
	})
}

func FuzzContactList(f *testing.F) {
	f.Add("Version=3.1.3\r\nG Work2 Work;Mates O\r\nU CN=Bob;Smith/O=Acme1:: Bob;Smith,Bobby\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		list := wire.ParseContactList(text)
		if diff := cmp.Diff(list, wire.ParseContactList(list.String())); diff != "" {
			t.Errorf("after writing and reading again (-first +then):\n%s", diff)
		}
	})
}
