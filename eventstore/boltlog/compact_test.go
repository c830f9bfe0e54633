package boltlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// filledFolder makes a log with side records that are there and some that were
// deleted.
func filledFolder(t *testing.T) (dir string, id [16]byte) {
	t.Helper()
	dir = t.TempDir()
	l, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	logtest.Fill(t, l, 2000, 100)
	batch, forget := eventstore.Batch{}, eventstore.Batch{}
	for p := range eventstore.Position(1000) {
		key := eventstore.SideKey{Position: p + 1, Kind: 5}
		name := fmt.Sprintf("staying-%d", p)
		if p%2 == 0 {
			name = fmt.Sprintf("canary-%d", p)
			forget.Forget = append(forget.Forget, key)
		}
		batch.Sides = append(batch.Sides, eventstore.Side{SideKey: key, Value: []byte(name)})
	}
	for _, b := range []eventstore.Batch{batch, forget} {
		if _, err := l.Append(t.Context(), l.Last(), b); err != nil {
			t.Fatal(err)
		}
	}
	id = l.ID()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, id
}

// holds tells in which files below a folder some bytes stand.
func holds(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wantCompacted fails unless the log is as filledFolder made it.
func wantCompacted(t *testing.T, dir string, id [16]byte) {
	t.Helper()
	l, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.ID() != id || l.Last() != 2000 {
		t.Errorf("id %v and last %d, want %v and 2000", l.ID(), l.Last(), id)
	}
	records := logtest.Records(1, 2000)
	for r, err := range l.Read(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(r, records[r.Position-1]) {
			t.Fatalf("position %d: %+v", r.Position, r)
		}
	}
	sides := 0
	for s, err := range l.Sides(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("staying-%d", s.Position-1); string(s.Value) != want {
			t.Fatalf("side record %q, want %q", s.Value, want)
		}
		sides++
	}
	if sides != 500 {
		t.Errorf("%d side records, want 500", sides)
	}
	if _, err := l.Append(t.Context(), 2000, eventstore.Batch{Records: logtest.Records(2001, 1)}); err != nil {
		t.Errorf("Append: %v", err)
	}
}

func TestCompact(t *testing.T) {
	dir, id := filledFolder(t)
	if holds(t, dir, "canary-") == nil {
		t.Fatal("nothing is left of deleted side records even before: this test shows nothing")
	}
	link := filepath.Join(t.TempDir(), "old")
	if err := os.Link(filepath.Join(dir, "log.db"), link); err != nil {
		t.Fatal(err)
	}
	done, err := boltlog.Compact(t.Context(), dir)
	if err != nil || done.Before <= 0 || done.After <= 0 {
		t.Errorf("Compact: %+v, %v", done, err)
	}
	if files := holds(t, dir, "canary-"); files != nil {
		t.Errorf("deleted side records are still in %v", files)
	}
	if files := holds(t, filepath.Dir(link), "canary-"); files != nil {
		t.Errorf("the old file was given back to the disk as it was")
	}
	wantCompacted(t, dir, id)
}

func TestCompactIsRefused(t *testing.T) {
	dir, _ := filledFolder(t)
	l, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var inUse *eventstore.InUseError
	if _, err := boltlog.Compact(t.Context(), dir); !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
		t.Errorf("Compact of an open log: %v, want an InUseError", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := boltlog.Compact(t.Context(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Compact of nothing: %v, want ErrNotExist", err)
	}
}

// What a crash can leave at each step is brought to its end by the next one.
func TestCompactAfterACrash(t *testing.T) {
	crashes := []struct {
		name  string
		leave func(t *testing.T, dir string)
	}{
		{"while the new file was written", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "log.db.compacted.new-123"), "half of canary-1")
		}},
		{"while a log was made", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "log.db.new-123"), "half of canary-1") }},
		{"before the new file took its place", func(t *testing.T, dir string) { backup(t, dir) }},
		{"when it had", func(t *testing.T, dir string) {
			backup(t, dir)
			rename(t, filepath.Join(dir, "log.db.compacted"), filepath.Join(dir, "log.db"))
			discard(t, dir)
		}},
		{"between the two renames", func(t *testing.T, dir string) {
			backup(t, dir)
			discard(t, dir)
		}},
	}
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			dir, id := filledFolder(t)
			c.leave(t, dir)
			if _, err := boltlog.Compact(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			if files := holds(t, dir, "canary-"); files != nil {
				t.Errorf("deleted side records are still in %v", files)
			}
			wantCompacted(t, dir, id)
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func backup(t *testing.T, dir string) {
	t.Helper()
	l, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Backup(t.Context(), filepath.Join(dir, "log.db.compacted")), l.Close()); err != nil {
		t.Fatal(err)
	}
}

// discard moves the journal aside, and makes one where the log has none.
func discard(t *testing.T, dir string) {
	t.Helper()
	from, to := filepath.Join(dir, "journal"), filepath.Join(dir, "journal.discarded")
	if err := os.Rename(from, to); err == nil {
		return
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(to, "0000000000000001"), "canary-in-the-journal")
}
