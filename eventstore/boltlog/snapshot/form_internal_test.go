package snapshot

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore"
)

// A field that is added anywhere in a snapshot makes it another one.
func TestShapeHasEveryField(t *testing.T) {
	text := shape(reflect.TypeFor[broker.Snapshot]())
	for _, field := range []string{"Ended([]broker.Ended", "IdledOut(bool)", "MaxSessions(domain.Optional[uint32]", "Options(map[string]string", "Expires(time.Time)", "Heard(map[domain.SessionID]time.Time"} {
		if !strings.Contains(text, field) {
			t.Errorf("%q is not in %s", field, text)
		}
	}
	if first, again := makerOf("v1"), makerOf("v1"); first != again || first == makerOf("v2") {
		t.Error("a version is not told from another")
	}
}

// Every field of an ended session is stored.
func TestEndedIsStored(t *testing.T) {
	for _, want := range []broker.Ended{{}, {Session: 1 << 50, Device: 2, Cause: 3, IdledOut: true, Account: 1 << 40}} {
		if reflect.TypeOf(want).NumField() != 5 {
			t.Error("a field was added: store it, and name it here")
		}
		if got, err := parseEnded(appendEnded(nil, want)); got != want || err != nil {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

// Whatever the bytes are, reading them gives a snapshot or an error. What can be
// read is written again, to bytes that then stay the same.
func FuzzSnapshot(f *testing.F) {
	at := eventstore.Boundary{Position: 9}
	state := domain.State{Position: 9, Now: time.UnixMilli(5).UTC(), People: []domain.PersonID{3}}
	whole, err := encode(head{at: at}, broker.Snapshot{Ledger: state, Ended: []broker.Ended{{Session: 4, Device: 2, Cause: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:len(whole)-sha256.Size])
	f.Fuzz(func(t *testing.T, b []byte) {
		sum := sha256.Sum256(b)
		h, content, err := parse(append(b, sum[:]...))
		if err != nil {
			return
		}
		s, err := decode(content)
		if err != nil {
			return
		}
		once, err := encode(h, s)
		if err != nil {
			t.Fatal(err)
		}
		again, content, err := parse(once)
		if err != nil || again != h {
			t.Fatalf("read again: %+v, %v; want %+v", again, err, h)
		}
		second, err := decode(content)
		if diff := cmp.Diff(s, second); diff != "" || err != nil {
			t.Fatalf("decoded again: %v (-first +second)\n%s", err, diff)
		}
		if twice, err := encode(h, second); !bytes.Equal(once, twice) || err != nil {
			t.Fatalf("encoded %x, then %x, %v", once, twice, err)
		}
	})
}
