package boltlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// manySegments makes a log whose events lie in several segments, and partly in log.db
// where that is wanted.
func manySegments(t *testing.T, packed bool) (log *boltlog.Log, dir string) {
	t.Helper()
	dir = t.TempDir()
	log = openSmall(t, dir)
	if packed {
		logtest.Fill(t, log, 40, 1)
		pack(t, log)
	}
	defer log.HoldPacking()()
	logtest.Fill(t, log, 50, 1)
	return log, dir
}

func segmentsOf(t *testing.T, dir string) []string {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "journal", "0*"))
	if err != nil || len(segments) < 3 {
		t.Fatalf("segments: %v, %v; want 3 or more", segments, err)
	}
	return segments
}

// A segment that is missing is told, if anything in it is: of a log that was closed
// also the last ones; of one that was not, any but the last, which is empty.
func TestMissingSegments(t *testing.T) {
	told := 0
	for _, packed := range []bool{false, true} {
		log, dir := manySegments(t, packed)
		last := log.Last()
		crashed := copyNow(t, log, dir)
		segments := segmentsOf(t, crashed)
		for i := range segments[:len(segments)-1] {
			told += wantWholeOrTold(t, without(t, crashed, segments[i:i+1]), last)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		segments = segmentsOf(t, dir)
		for i := range segments[:len(segments)-1] {
			told += wantWholeOrTold(t, without(t, dir, segments[i:]), last)
			told += wantWholeOrTold(t, without(t, dir, segments[:i+1]), last)
		}
	}
	if told < 12 {
		t.Errorf("%d missing segments were told, want 12 or more", told)
	}
}

// without copies a log without some of its segments.
func without(t *testing.T, dir string, segments []string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, segment := range segments {
		if err := os.Remove(filepath.Join(to, "journal", filepath.Base(segment))); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// wantWholeOrTold fails where a log opens for writing with less than it had, or is read
// without a word of what is missing. It gives 1 where something is told to be missing.
func wantWholeOrTold(t *testing.T, dir string, last eventstore.Position) (told int) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "journal", "0*"))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	if err == nil {
		var n int
		n, err = readAll(t, reader)
		reader.Close() // its lock would be in the way below
		if n == int(last) && err == nil {
			return 0
		}
		if reader.Damage() == nil {
			t.Errorf("%d of %d records, then %v, and no damage; what is left is %v", n, last, err, left)
		}
	}
	damage, copied := (*eventstore.DamageError)(nil), (*eventstore.CopyError)(nil)
	if !errors.As(err, &damage) && !errors.As(err, &copied) {
		t.Errorf("opened and read with %v; what is left is %v", err, left)
	}
	if log, err := boltlog.Open(dir, boltlog.Options{}); !errors.As(err, &damage) && !errors.As(err, &copied) {
		t.Errorf("Open = %v; what is left is %v", err, left)
		log.Close()
	}
	return 1
}

// Of a log that was closed it is told that its last batches have turned into zeros,
// however many they are and the mark behind them too.
func TestLastBatchesThatBecameZeros(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	logtest.Fill(t, log, 12, 1)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	segment := filepath.Join(dir, "journal", "0000000000000001")
	whole, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	end := len(whole)
	for end > 0 && whole[end-1] == 0 {
		end--
	}
	for from := 512; from < end; from += 512 {
		b := slices.Clone(whole)
		clear(b[from:])
		if err := os.WriteFile(segment, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if wantWholeOrTold(t, dir, 12) != 1 {
			t.Errorf("nothing is told of zeros from byte %d on", from)
		}
	}
}
