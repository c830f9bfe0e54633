package verify_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/domain"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/verify"
)

// Of a damaged journal it is told which positions are lost, as opening it tells.
func TestDamagedJournalIsNamed(t *testing.T) {
	dir := t.TempDir()
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: 64 << 10})
	must(t, err)
	for batch := range slices.Chunk(longLog(100), 10) {
		_, err := log.Append(t.Context(), log.Last(), domain.Batch{Records: batch})
		must(t, err)
	}
	must(t, log.Close())
	segment := filepath.Join(dir, "journal", "0000000000000001")
	b, err := os.ReadFile(segment)
	must(t, err)
	b[512*(1+4)+100] ^= 1 // the head, and four batches of a sector each
	must(t, os.WriteFile(segment, b, 0o600))

	log, err = boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	must(t, err)
	defer log.Close()
	report := check(t, log)
	if report.Found[verify.Damage] != 1 || len(report.Findings) != 1 {
		t.Fatalf("findings: %v, want one damage", report.Findings)
	}
	if f := report.Findings[0]; f.From != 41 || f.To != 50 || report.Events != 40 {
		t.Errorf("damage from %d to %d behind %d events, want 41 to 50 behind 40", f.From, f.To, report.Events)
	}
}
