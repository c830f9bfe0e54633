package boltlog_test

import (
	"os"
	"path/filepath"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// townLog gives a log of a town of 20,000 people with at least so many events,
// packed, and how many bytes its database takes.
func townLog(t testing.TB, events int) (log *boltlog.Log, size int64) {
	dir := t.TempDir()
	log = open(t, dir)
	for town := logtest.NewTown(20_000); int(log.Last()) < events; {
		if _, err := log.Append(t.Context(), log.Last(), eventstore.Batch{Records: town.Records(200)}); err != nil {
			t.Fatal(err)
		}
	}
	pack(t, log)
	backup := filepath.Join(dir, "backup")
	if err := log.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	return log, int64(usedBytes(whole))
}

// An event of a realistic log takes at most 16 bytes at rest.
func TestBytesAtRest(t *testing.T) {
	log, size := townLog(t, 50_000)
	if each := float64(size) / float64(log.Last()); each > 16 {
		t.Errorf("an event takes %.1f bytes, want 16 at most", each)
	}
}
