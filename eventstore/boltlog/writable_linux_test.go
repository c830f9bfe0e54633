package boltlog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

const nobody = 65534

func TestFolderNotWritable(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "data")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	wantAdvice(t, openAsNobody(dir))
}

func TestLogNotWritable(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	if err := os.Chmod(filepath.Join(dir, "log.db"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	wantAdvice(t, openAsNobody(dir))
}

// A log in a folder that may only be read is read, its journal too, and nothing is
// written there.
func TestReadInAFolderThatIsNotWritable(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	fillPacked(t, log, 20, 10)
	logtest.Fill(t, log, 20, 10)
	log.Close()
	segments, err := filepath.Glob(filepath.Join(dir, "journal", "0*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(segments, filepath.Join(dir, "journal"), filepath.Join(dir, "log.db"), dir) {
		if err := os.Chmod(path, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755); os.Chmod(filepath.Join(dir, "journal"), 0o755) })
	err = asNobody(func() error {
		log, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		defer log.Close()
		if n, err := readAll(t, log); n != 40 || err != nil {
			return fmt.Errorf("%d records, %w; want 40", n, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// openAsNobody opens a log without root's right to write everywhere, which only
// a thread that is then thrown away gives up.
func openAsNobody(dir string) error {
	return asNobody(func() error {
		log, err := boltlog.Open(dir, boltlog.Options{})
		if err == nil {
			log.Close()
		}
		return err
	})
}

func asNobody(work func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		}
		done <- work()
	}()
	return <-done
}
