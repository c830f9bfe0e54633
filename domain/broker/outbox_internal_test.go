package broker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func drain(o *outbox) (bodies []any) {
	for item, ok := o.next(); ok; item, ok = o.next() {
		bodies = append(bodies, item.Body)
	}
	return bodies
}

func TestOutboxKeepsTheLatestPresence(t *testing.T) {
	var o outbox
	o.add(PresenceChanged{Contact: "bob", Show: ShowAway}, 1)
	o.add(MessageReceived{Body: "hi"}, 2)
	o.add(PresenceChanged{Contact: "bob", Show: ShowAvailable}, 3)
	want := []any{MessageReceived{Body: "hi"}, PresenceChanged{Contact: "bob", Show: ShowAvailable}}
	if diff := cmp.Diff(want, drain(&o)); diff != "" {
		t.Error(diff)
	}
}

func TestOutboxSaysWhatItDropped(t *testing.T) {
	var o outbox
	for i := range maxWaiting + 10 {
		o.add(MessageReceived{Body: "x"}, uint64(i+1))
	}
	first, _ := o.next()
	if got := first.Body; got != (Dropped{Count: 11}) {
		t.Errorf("first body = %#v, want Dropped 11: the note takes a place itself", got)
	}
}

func TestOutboxIsBoundedInBytes(t *testing.T) {
	var o outbox
	for range 50 {
		o.add(MessageReceived{Body: strings.Repeat("x", maxWaitingBytes/10)}, 1)
	}
	if o.bytes > maxWaitingBytes {
		t.Errorf("%d bytes wait, want at most %d", o.bytes, maxWaitingBytes)
	}
	for len(o.waiting) > 0 {
		o.remove(0)
	}
	if o.bytes != 0 {
		t.Errorf("an empty outbox counts %d bytes", o.bytes)
	}
}

func TestOutboxBoundsWhatIsInFlight(t *testing.T) {
	var o outbox
	for i := range 3 * maxInFlight {
		o.add(MessageReceived{Body: "x"}, uint64(i+1))
	}
	if got := len(drain(&o)); got != maxInFlight {
		t.Fatalf("%d in flight, want %d", got, maxInFlight)
	}
	if safe := o.ack(10); safe != 10 {
		t.Errorf("safe = %d, want 10", safe)
	}
	if got := len(drain(&o)); got != 10 {
		t.Errorf("%d more after 10 were acknowledged, want 10", got)
	}
	if safe := o.ack(1 << 60); safe != maxInFlight+10 {
		t.Errorf("safe after a number never sent = %d, want %d", safe, maxInFlight+10)
	}
}
