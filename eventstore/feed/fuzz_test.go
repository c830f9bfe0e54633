package feed_test

import (
	"errors"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	"rollcall/eventstore"
	"rollcall/eventstore/feed"
)

// Whatever a payload holds, decoding it gives a record or a PayloadError.
func FuzzRecord(f *testing.F) {
	log := filled(f, 4)
	for p := range eventstore.Position(4) {
		_, messages := subscribe(f, log, p+1, feed.Everything)
		m := <-messages
		m.Ack()
		f.Add([]byte(m.Payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := feed.Record(message.NewMessage("m", payload))
		if bad := (*feed.PayloadError)(nil); err != nil && !errors.As(err, &bad) {
			t.Errorf("Record = %v, want a PayloadError", err)
		}
		if err == nil && (r.Event == nil || r.Position == 0) {
			t.Errorf("Record = %+v", r)
		}
	})
}
