package boltlog_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"rollcall/eventstore/boltlog"
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

// openAsNobody opens a log without root's right to write everywhere, which only
// a thread that is then thrown away gives up.
func openAsNobody(dir string) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		}
		log, err := boltlog.Open(dir, boltlog.Options{})
		if err == nil {
			log.Close()
		}
		done <- err
	}()
	return <-done
}
