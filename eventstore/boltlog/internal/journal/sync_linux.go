package journal

import (
	"os"
	"syscall"
)

// syncData makes a file's bytes durable, and of its metadata only what is needed
// to read them: fdatasync(2).
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != syscall.EINTR { // a signal came before anything was done
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}
