package inbox_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/adapters/inbox"
	"rollcall/domain"
)

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, inbox.Options{})
	path := filepath.Join(dir, inbox.FileName)
	_, err := inbox.Open(path, log1, inbox.Options{})
	var inUse *inbox.InUseError
	if !errors.As(err, &inUse) || inUse.Path != path {
		t.Errorf("Open = %v, want an InUseError", err)
	}
}

func TestOtherLog(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, inbox.Options{}).Close()
	path := filepath.Join(dir, inbox.FileName)
	_, err := inbox.Open(path, log2, inbox.Options{})
	var other *inbox.OtherLogError
	if !errors.As(err, &other) || *other != (inbox.OtherLogError{Path: path, Found: log1, Wanted: log2}) {
		t.Errorf("Open = %v, want an OtherLogError", err)
	}
	open(t, dir, inbox.Options{}) // it was not touched
}

func TestNewerFormat(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, inbox.Options{}).Close()
	path := filepath.Join(dir, inbox.FileName)
	putRaw(t, path, "meta", []byte("format"), []byte{0, 0, 0, 9})
	_, err := inbox.Open(path, log1, inbox.Options{})
	var format *inbox.FormatError
	if !errors.As(err, &format) || *format != (inbox.FormatError{Path: path, Found: 9, Newest: 1}) {
		t.Errorf("Open = %v, want a FormatError", err)
	}
}

// putRaw writes a value with a true checksum past the inbox.
func putRaw(t *testing.T, path, bucket string, key, value []byte) {
	t.Helper()
	table := crc32.MakeTable(crc32.Castagnoli)
	value = binary.BigEndian.AppendUint32(value, crc32.Update(crc32.Checksum(key, table), table, value))
	edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put(key, value) })
}

func edit(t *testing.T, path string, work func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(work); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, inbox.Options{})
	info, err := os.Stat(filepath.Join(dir, inbox.FileName))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, %v; want -rw-------", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new-*")); left != nil {
		t.Errorf("%v is left over", left)
	}
}

func TestNoFolder(t *testing.T) {
	_, err := inbox.Open(filepath.Join(t.TempDir(), "no", inbox.FileName), domain.LogID{}, inbox.Options{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v, want fs.ErrNotExist", err)
	}
}
