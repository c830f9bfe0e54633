package boltlog_test

import (
	"path/filepath"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// A backup has the side records that there were at its end, while others are stored,
// replaced and deleted all the time and move from the journal into the database: here
// one of each position, until it is deleted by the batch that many positions on.
func TestBackupIsOfOneMoment(t *testing.T) {
	const kept = 500
	log := openSmall(t, t.TempDir())
	batch := func(last eventstore.Position) eventstore.Batch {
		b := eventstore.Batch{
			Records: logtest.Records(last+1, 1),
			Sides:   []eventstore.Side{{SideKey: eventstore.SideKey{Position: last + 1, Kind: 1}, Value: make([]byte, 300)}},
		}
		if last >= kept {
			b.Forget = []eventstore.SideKey{{Position: last + 1 - kept, Kind: 1}}
		}
		return b
	}
	enough, written := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			last := log.Last()
			if _, err := log.Append(t.Context(), last, batch(last)); err != nil {
				written <- err
				return
			}
			select {
			case <-enough:
				written <- nil
				return
			default:
			}
		}
	}()
	for n := range 20 {
		for log.Last() < eventstore.Position(n)*kept/4 {
			if err := log.Pack(); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "backup")
		if err := log.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		wantSidesOfItsEnd(t, path, kept)
	}
	close(enough)
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func wantSidesOfItsEnd(t *testing.T, path string, kept eventstore.Position) {
	t.Helper()
	backup, err := boltlog.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	last := backup.Last()
	next := max(last, kept) - kept + 1
	for s, err := range backup.Sides(t.Context()) {
		if err != nil || s.Position != next {
			t.Fatalf("the backup ends at %d; a side record of %d, %v, want %d", last, s.Position, err, next)
		}
		next++
	}
	if next != last+1 {
		t.Errorf("the backup ends at %d, its side records at %d", last, next-1)
	}
}
