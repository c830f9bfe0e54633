package control_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"rollcall/adapters/control"
)

// TestAnotherUser dials as a user whose socket it is not.
func TestAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	dir := t.TempDir()
	for _, open := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	serveIn(t, dir, full())
	dialed := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := syscall.Setfsuid(65534); err != nil {
			dialed <- err
			return
		}
		_, err := control.Dial(t.Context(), dir)
		dialed <- err
	}()
	if err := <-dialed; !errors.Is(err, fs.ErrPermission) || errors.Is(err, control.ErrNotRunning) {
		t.Errorf("Dial as another user = %v, want fs.ErrPermission", err)
	}
}
