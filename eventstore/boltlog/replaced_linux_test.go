package boltlog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// interruptedFolder makes a folder in which a compaction has stopped between its
// renames.
func interruptedFolder(t *testing.T) (dir string, id [16]byte) {
	t.Helper()
	dir, id = filledFolder(t)
	backup(t, dir)
	discard(t, dir)
	return dir, id
}

// A log.db that somebody has put where a compaction was interrupted is not replaced;
// the next step of either choice that the error names works.
func TestAnotherLogIsNotReplaced(t *testing.T) {
	grown := func(t *testing.T, dir string) string { // the same log, and more of it
		l, err := boltlog.Open(copied(t, dir), boltlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := l.Append(t.Context(), l.Last(), eventstore.Batch{Records: logtest.Records(2001, 1)}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "backup")
		if err := l.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	another := func(t *testing.T, _ string) string {
		dir, _ := filledFolder(t)
		backup(t, dir)
		return filepath.Join(dir, "log.db.compacted")
	}
	for _, c := range []struct {
		name string
		with func(t *testing.T, dir string) string
		says string
	}{
		{"another log", another, "log.db is another log than the one that was being compacted here; to keep log.db move log.db.compacted,"},
		{"a longer one", grown, "log.db ends at position 2001, behind the log that was being compacted here, which ends at 2000; to keep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, id := interruptedFolder(t)
			copyFile(t, c.with(t, dir), filepath.Join(dir, "log.db"))
			before, err := os.ReadFile(filepath.Join(dir, "log.db"))
			if err != nil {
				t.Fatal(err)
			}
			for _, options := range []boltlog.Options{{}, {ReadOnly: true}} {
				_, err := boltlog.Open(dir, options)
				if copied := (*eventstore.CopyError)(nil); !errors.As(err, &copied) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("Open(%+v) = %v, want a CopyError that says %q", options, err, c.says)
				}
			}
			if after, err := os.ReadFile(filepath.Join(dir, "log.db")); err != nil || !bytes.Equal(before, after) {
				t.Errorf("log.db is not as it was: %v", err)
			}
			kept := t.TempDir()
			copyFile(t, filepath.Join(dir, "log.db"), filepath.Join(kept, "log.db"))
			l, err := boltlog.Open(kept, boltlog.Options{}) // without what the compaction left
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			rename(t, filepath.Join(dir, "log.db"), filepath.Join(t.TempDir(), "log.db"))
			wantCompacted(t, dir, id)
		})
	}
}

// Nor is it where what would take its place cannot be read.
func TestDamagedCompactionTakesNoPlace(t *testing.T) {
	dir, _ := interruptedFolder(t)
	put(t, filepath.Join(dir, "log.db.compacted"), "not a log")
	_, err := boltlog.Open(dir, boltlog.Options{})
	if damage := (*eventstore.DamageError)(nil); !errors.As(err, &damage) || filepath.Base(damage.Path) != "log.db.compacted" {
		t.Errorf("Open = %v, want a DamageError of log.db.compacted", err)
	}
}
