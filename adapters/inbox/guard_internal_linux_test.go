package inbox

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// Where pages are damaged while the inbox is open, whoever reads is told so, and
// whoever writes ends it. Nobody waits for ever, and nothing panics.
func TestDamageWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	i, err := Open(path, domain.LogID{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := broker.MailboxID{Device: 1}
	if _, err := i.Put(t.Context(), id, broker.Letter{Number: 1}); err != nil {
		t.Fatal(err)
	}
	spoil(t, path)
	var damage *DamageError
	if _, err := i.Letters(t.Context(), id, 0, 1); !errors.As(err, &damage) || damage.Path != path {
		t.Errorf("Letters = %v, want a DamageError", err)
	}
	for _, err := range i.Mailboxes(t.Context()) {
		if !errors.As(err, &damage) {
			t.Errorf("Mailboxes gives %v, want a DamageError", err)
		}
	}
	if i.Err() != nil {
		t.Errorf("reading has ended the inbox: %v", i.Err())
	}
	_, err = i.Put(t.Context(), id, broker.Letter{Number: 2})
	if !errors.Is(err, ErrFailed) || !errors.As(err, &damage) {
		t.Errorf("Put = %v, want ErrFailed and a DamageError", err)
	}
	<-i.Failed()
	if err := i.Drop(t.Context(), id); !errors.Is(err, ErrFailed) || !errors.Is(i.Err(), ErrFailed) {
		t.Errorf("Drop = %v, Err() = %v; want ErrFailed", err, i.Err())
	}
	i.Forget(id, 1)
	if err := i.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if _, err := i.Put(t.Context(), id, broker.Letter{Number: 2}); !errors.Is(err, ErrClosed) {
		t.Errorf("Put after Close = %v, want ErrClosed", err)
	}
	if _, err := i.Letters(t.Context(), id, 0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Letters after Close = %v, want ErrClosed", err)
	}
}

// spoil overwrites every page but the heads.
func spoil(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	garbage := bytes.Repeat([]byte{0xff, 0, 3}, int(info.Size())/3)[2*pageSize:]
	if _, err := f.WriteAt(garbage, 2*pageSize); err != nil {
		t.Fatal(err)
	}
}

// A file that is cut while it is open is a fault of the memory, and an error.
func TestCutWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	i, err := Open(path, domain.LogID{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	id := broker.MailboxID{Device: 1}
	if _, err := i.Put(t.Context(), id, broker.Letter{Number: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2*pageSize); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Letters(t.Context(), id, 0, 1); !errors.As(err, new(*DamageError)) {
		t.Errorf("Letters = %v, want a DamageError", err)
	}
}
