package boltlog_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// What another user's process has left when it was killed keeps nobody out who may
// write the folder.
func TestOwnerThatMayNotBeRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	open(t, dir).Close()
	if os.Getuid() != 0 {
		t.Skip("only root can leave a file that nobody may read")
	}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	})
	if err = errors.Join(err, os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log.pid"), []byte("77 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openAsNobody(dir); err != nil {
		t.Errorf("Open = %v", err)
	}
}

// After a process was killed, a backup that takes the place of log.db is no copy, once
// the journal is removed, or empty.
func TestBackupInThePlaceOfAKilledLog(t *testing.T) {
	source := open(t, t.TempDir())
	logtest.Fill(t, source, 20, 10)
	backup := filepath.Join(t.TempDir(), "backup")
	if err := source.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	killed := open(t, dir)
	logtest.Fill(t, killed, 20, 10)
	pid := fmt.Appendln(nil, 77, 1)
	killed.Close()
	for _, place := range []string{"log.db", "log.pid"} {
		if err := os.Remove(filepath.Join(dir, place)); err != nil && place == "log.db" {
			t.Fatal(err)
		}
	}
	copyFile(t, backup, filepath.Join(dir, "log.db"))
	if err := os.WriteFile(filepath.Join(dir, "log.pid"), pid, 0o600); err != nil {
		t.Fatal(err)
	}
	var copied *eventstore.CopyError
	if _, err := boltlog.Open(dir, boltlog.Options{}); !errors.As(err, &copied) {
		t.Errorf("beside the old journal Open = %v, want a CopyError", err)
	}
	for _, segment := range segmentFiles(t, dir) {
		if err := os.Remove(segment); err != nil {
			t.Fatal(err)
		}
	}
	wantWhole(t, open(t, dir), 20)
}

func segmentFiles(t *testing.T, dir string) []string {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "journal", "0*"))
	if err != nil {
		t.Fatal(err)
	}
	return segments
}
