package inbox

import (
	"os"
	"syscall"
)

// allocate gives a file blocks behind its size; an [errors.ErrUnsupported] where
// the file system cannot.
func allocate(f *os.File, size, more int64) error {
	for {
		err := syscall.Fallocate(int(f.Fd()), 0, size, more)
		if err != syscall.EINTR {
			return err
		}
	}
}

// unlock takes off the lock that bbolt has put on a file.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
