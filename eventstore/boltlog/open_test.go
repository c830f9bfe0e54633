package boltlog_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	for name, options := range map[string]boltlog.Options{"for writing": {}, "for reading": {ReadOnly: true}} {
		_, err := boltlog.Open(dir, options)
		var inUse *eventstore.InUseError
		if !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
			t.Errorf("Open %s = %v, want in use by process %d", name, err, os.Getpid())
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 2 {
		t.Errorf("left in the folder: %v, %v; want log.db and journal", left, err)
	}
}

func TestInUseByReaders(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	for range 2 { // readers do not keep each other out
		reader, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
	}
	_, err := boltlog.Open(dir, boltlog.Options{})
	var inUse *eventstore.InUseError
	if !errors.As(err, &inUse) || inUse.PID != 0 {
		t.Errorf("Open = %v, want in use by another process", err)
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	_, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open where there is no log = %v, want %v", err, fs.ErrNotExist)
	}
	log := open(t, dir)
	logtest.Fill(t, log, 10, 3)
	log.Close()
	reader, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := reader.Append(t.Context(), 10, eventstore.Batch{Records: logtest.Records(11, 1)}); !errors.Is(err, eventstore.ErrReadOnly) {
		t.Errorf("Append = %v, want %v", err, eventstore.ErrReadOnly)
	}
	wantWhole(t, reader, 10)
}

// wantWhole fails unless the log holds the first n records of the suite.
func wantWhole(t testing.TB, log eventstore.Reader, n int) {
	t.Helper()
	if got := log.Last(); got != eventstore.Position(n) {
		t.Errorf("Last() = %d, want %d", got, n)
	}
	if got, err := readAll(t, log); got != n || err != nil {
		t.Errorf("%d records can be read, then %v; want %d", got, err, n)
	}
}

func TestNewerFormat(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	change(t, dir, func(tx *bbolt.Tx) error {
		return errors.Join(
			tx.Bucket([]byte("meta")).Put([]byte("format"), sealed("format", "\x00\x00\x00\x09")),
			tx.DeleteBucket([]byte("blocks")), // nothing else need be as it was
		)
	})
	_, err := boltlog.Open(dir, boltlog.Options{})
	var format *eventstore.FormatError
	if !errors.As(err, &format) || format.Found != 9 || format.Newest != 1 {
		t.Errorf("Open = %v, want format 9 refused", err)
	}
}

// So is a journal of a newer format, beside a log.db that is not.
func TestNewerJournal(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	segment := filepath.Join(dir, "journal", "0000000000000001")
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[7] = 9 // the format
	sum := crc32.Update(crc32.Checksum(b[8:24], castagnoli), castagnoli, b[:508])
	binary.BigEndian.PutUint32(b[508:], sum)
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, options := range []boltlog.Options{{}, {ReadOnly: true}} {
		_, err := boltlog.Open(dir, options)
		var format *eventstore.FormatError
		if !errors.As(err, &format) || format.Found != 9 || format.Newest != 1 {
			t.Errorf("Open(%+v) = %v, want format 9 refused", options, err)
		}
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Another program's database is told as such.
func TestNotALog(t *testing.T) {
	dir := t.TempDir()
	change(t, dir, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("something else"))
		return err
	})
	_, err := boltlog.Open(dir, boltlog.Options{})
	if damage := (*eventstore.DamageError)(nil); !errors.As(err, &damage) || !strings.Contains(err.Error(), "is it a log of rollcall?") {
		t.Errorf("Open = %v, want to be asked whether it is a log", err)
	}
}

// change changes the database behind the log's back.
func change(t *testing.T, dir string, work func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "log.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(work), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := boltlog.Open(filepath.Join(file, "data"), boltlog.Options{})
	wantAdvice(t, err)
}

// wantAdvice fails unless an error tells which setting to change.
func wantAdvice(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("Open = %v, want an error that tells to choose another folder", err)
	}
}

// What a crash leaves of making a log is in nobody's way.
func TestLeftoverOfCreation(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log.db.new-123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, open(t, dir), 0)
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	side := eventstore.Side{SideKey: eventstore.SideKey{Position: 2, Kind: 1}, Value: []byte("a name")}
	if _, err := log.Append(t.Context(), 0, eventstore.Batch{Records: logtest.Records(1, 5), Sides: []eventstore.Side{side}}); err != nil {
		t.Fatal(err)
	}
	logtest.Fill(t, log, 400, 3)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { // the log goes on meanwhile
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				logtest.Fill(t, log, 3, 3)
			}
		}
	}()
	path := filepath.Join(t.TempDir(), "backup.db")
	err := log.Backup(t.Context(), path)
	close(stop)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	backup, err := boltlog.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if backup.ID() != log.ID() || backup.Last() < 405 {
		t.Errorf("the backup has id %v and ends at %d; want %v and at least 405", backup.ID(), backup.Last(), log.ID())
	}
	wantWhole(t, backup, int(backup.Last()))
	value, ok, err := backup.Side(t.Context(), side.SideKey)
	if string(value) != "a name" || !ok || err != nil {
		t.Errorf("Side = %q, %v, %v; want a name", value, ok, err)
	}
	if err := log.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Backup over a file = %v, want %v", err, fs.ErrExist)
	}
}
