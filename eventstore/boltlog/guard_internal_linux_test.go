package boltlog

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"rollcall/eventstore"
)

// What would end the process becomes an error: a panic, and a read past the end of
// a mapped file.
func TestGuard(t *testing.T) {
	tests := map[string]func() error{
		"panic": func() error { panic("page 7: invalid page type") },
		"fault": func() error { return readPastEnd(t) },
	}
	for name, work := range tests {
		t.Run(name, func(t *testing.T) {
			err := guard("log.db", 7, work)
			var damage *eventstore.DamageError
			if !errors.As(err, &damage) || damage.From != 7 || damage.Path != "log.db" {
				t.Errorf("guard = %v, want damage from position 7 on", err)
			}
		})
	}
}

func readPastEnd(t *testing.T) error {
	size := os.Getpagesize()
	file := filepath.Join(t.TempDir(), "mapped")
	if err := os.WriteFile(file, make([]byte, 2*size), 0o600); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := syscall.Mmap(int(f.Fd()), 0, 2*size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	defer syscall.Munmap(b)
	if err := os.Truncate(file, 1); err != nil {
		return err
	}
	if b[2*size-1] != 0 { // faults
		return errors.New("there was something past the end")
	}
	return errors.New("there was no fault")
}
