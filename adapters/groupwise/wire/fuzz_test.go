package wire_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/groupwise/wire"
)

func FuzzClientReader(f *testing.F) {
	for _, file := range []string{"login-response.bin", "message.bin", "status.bin"} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		response, event, err := wire.NewClientReader(bytes.NewReader(b)).Next()
		if err != nil {
			return
		}
		if response != nil {
			again, _, err := wire.NewClientReader(bytes.NewReader(response.Append(nil))).Next()
			if err != nil {
				t.Fatalf("%s, written and read again: %v", response, err)
			}
			if diff := cmp.Diff(response, again); diff != "" {
				t.Fatalf("written and read again (-first +second):\n%s", diff)
			}
			return
		}
		_, again, err := wire.NewClientReader(bytes.NewReader(event.Append(nil))).Next()
		if err != nil || *again != *event {
			t.Fatalf("%s, written and read again: %v, %v", event, again, err)
		}
	})
}

func FuzzServerReader(f *testing.F) {
	f.Add([]byte(realLogin))
	send := &wire.Request{Command: "sendmessage", Fields: wire.SendMessage{GUID: wire.NoGUID, Body: "b", Text: "t", To: []string{"x"}}.Fields()}
	f.Add(send.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := wire.NewServerReader(bytes.NewReader(b)).Next()
		if err != nil {
			return
		}
		again, err := wire.NewServerReader(bytes.NewReader(r.Append(nil))).Next()
		if err != nil {
			t.Fatalf("%s, written and read again: %v", r, err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatalf("written and read again (-first +second):\n%s", diff)
		}
	})
}
