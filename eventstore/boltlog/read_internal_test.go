package boltlog

import (
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/eventstore"
)

// A block that was packed after a reader had looked where the log ends reaches past
// that end. The reader gets no more than what was there, or a follower would
// get the rest twice.
func TestReadEndsWithinABlock(t *testing.T) {
	log, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var batch eventstore.Batch
	for p := range eventstore.Position(10) {
		batch.Records = append(batch.Records, eventstore.Record{Position: p + 1, Time: time.UnixMilli(1).UTC(), Event: &domain.BrokerStopped{}})
	}
	if _, err := log.Append(t.Context(), 0, batch); err != nil {
		t.Fatal(err)
	}
	if err := log.Pack(); err != nil {
		t.Fatal(err)
	}
	var read, many []eventstore.Position
	log.give(t.Context(), 2, 5, func(r eventstore.Record, err error) bool {
		if err != nil {
			t.Error(err)
		}
		read = append(read, r.Position)
		return true
	})
	log.giveMany(t.Context(), 2, 5, func(records []eventstore.Record, err error) bool {
		for _, r := range records {
			many = append(many, r.Position)
		}
		return err == nil
	})
	for way, got := range map[string][]eventstore.Position{"one by one": read, "in blocks": many} {
		if len(got) != 4 || got[0] != 2 || got[3] != 5 {
			t.Errorf("%s: positions %v, want 2 to 5", way, got)
		}
	}
}
