package boltlog_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
)

// A folder that is copied while a log is written is told as such, be it torn or not;
// with log.pid removed, as is advised for a process that had been killed, it opens with
// all that was durable when the copying began, or is told to be damaged or copied.
func TestCopiedWhileRunning(t *testing.T) {
	dir := t.TempDir()
	log := openSmall(t, dir)
	if _, err := log.Append(t.Context(), 0, busyBatch(0)); err != nil { // an empty log is whole anyhow
		t.Fatal(err)
	}
	enough, written := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			last := log.Last()
			_, err := log.Append(t.Context(), last, busyBatch(last))
			if n%23 == 0 && err == nil {
				err = log.Pack()
			}
			select {
			case <-enough:
				written <- err
				return
			default:
			}
			if err != nil {
				written <- err
				return
			}
		}
	}()
	for range 30 {
		durable := log.Last()
		to := filepath.Join(t.TempDir(), "log")
		copySlowly(t, dir, to)
		for _, options := range []boltlog.Options{{}, {ReadOnly: true}} {
			log, err := boltlog.Open(to, options)
			var copied *eventstore.CopyError
			if !errors.As(err, &copied) {
				t.Errorf("Open(%+v) of a copy = %v, want a CopyError", options, err)
			}
			if err == nil {
				log.Close()
			}
		}
		forgetOwner(t, to)
		wantNoLess(t, to, durable)
	}
	close(enough)
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// copySlowly copies a folder a page at a time, as it is while that takes.
func copySlowly(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(to, "journal"), 0o700); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(from, "journal", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(segments, filepath.Join(from, "log.db"), filepath.Join(from, "log.pid")) {
		name, err := filepath.Rel(from, path)
		if err != nil {
			t.Fatal(err)
		}
		if err := copyPages(path, filepath.Join(to, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func copyPages(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	page := make([]byte, 4096)
	for {
		n, err := f.Read(page)
		if _, err := out.Write(page[:n]); err != nil {
			return errors.Join(err, out.Close())
		}
		if err == io.EOF {
			return out.Close()
		}
		if err != nil {
			return errors.Join(err, out.Close())
		}
	}
}

// wantNoLess fails where a folder opens with less than was durable.
func wantNoLess(t *testing.T, dir string, durable eventstore.Position) {
	t.Helper()
	log, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	if damage, copied := (*eventstore.DamageError)(nil), (*eventstore.CopyError)(nil); errors.As(err, &damage) || errors.As(err, &copied) {
		return
	}
	if err != nil {
		t.Errorf("Open = %v", err)
		return
	}
	defer log.Close()
	if n, err := readAll(t, log); err == nil && eventstore.Position(n) < durable {
		t.Errorf("a copy has %d records; %d were durable when it was begun", n, durable)
	}
}
