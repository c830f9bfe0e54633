//go:build unix

package device

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the lock at path, which ends with the process at the latest.
func lockFile(path string) (unlock func() error, err error) {
	for {
		f, err := openLocked(path)
		if err != nil {
			return nil, err
		}
		if isAt(f, path) {
			return f.Close, nil
		}
		f.Close() // whoever had it has removed it: others would take a lock beside this one
	}
}

// removeLock removes the file of a lock that is held.
func removeLock(path string) error { return os.Remove(path) }

// isAt tells that an open file is still the one at path.
func isAt(f *os.File, path string) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(there, own)
}

func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock identity: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrIdentityInUse
		}
		return nil, fmt.Errorf("lock identity: %w", err)
	}
	return f, nil
}
