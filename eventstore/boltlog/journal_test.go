package boltlog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// Files that are not of one moment are told as such, whichever is the older.
func TestMixedFolders(t *testing.T) {
	dir := t.TempDir()
	log := openSmall(t, dir)
	logtest.Fill(t, log, 20, 1)
	early := copyNow(t, log, dir)
	for range 5 { // long enough for the first segments to be used again
		logtest.Fill(t, log, 20, 1)
		pack(t, log)
	}
	logtest.Fill(t, log, 20, 1)
	late := copyNow(t, log, dir)
	backup := filepath.Join(t.TempDir(), "backup")
	if err := log.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	stranger := openSmall(t, other)
	logtest.Fill(t, stranger, 20, 1)
	stranger.Close()

	tests := map[string]struct{ database, journal string }{
		"an older log.db":         {early + "/log.db", late + "/journal"},
		"an older journal":        {late + "/log.db", early + "/journal"},
		"another log's journal":   {late + "/log.db", other + "/journal"},
		"no journal":              {late + "/log.db", ""},
		"no log.db":               {"", late + "/journal"},
		"a backup and a journal":  {backup, late + "/journal"},
		"a backup and an old one": {backup, early + "/journal"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			mixed := t.TempDir()
			if test.database != "" {
				copyFile(t, test.database, mixed+"/log.db")
			}
			if test.journal != "" {
				if err := os.CopyFS(mixed+"/journal", os.DirFS(test.journal)); err != nil {
					t.Fatal(err)
				}
			}
			for _, options := range []boltlog.Options{{}, {ReadOnly: true}} {
				log, err := boltlog.Open(mixed, options)
				var told *eventstore.CopyError
				if !errors.As(err, &told) {
					t.Errorf("Open(%+v) = %v, want a CopyError", options, err)
				}
				if err == nil {
					log.Close()
				}
			}
			if test.database != "" {
				wantReadWithoutJournal(t, mixed)
			}
		})
	}
}

// wantReadWithoutJournal fails unless the records that log.db holds can be read
// although its journal is not there, and what is missing is told.
func wantReadWithoutJournal(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "log.db")
	log, err := boltlog.OpenDamaged(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer log.Close()
	read, err := readAll(t, log)
	damage := (*eventstore.DamageError)(nil)
	if eventstore.Position(read) != log.Last() || err != nil && !errors.As(err, &damage) {
		t.Errorf("%d records of %d, then %v", read, log.Last(), err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Of a log whose journal is damaged, what lies in front of the damage can be read;
// nothing can be written.
func TestDamagedJournal(t *testing.T) {
	dir := t.TempDir()
	log := openSmall(t, dir)
	fillPacked(t, log, 20, 10)
	logtest.Fill(t, log, 50, 10)
	log.Close()
	segments, err := filepath.Glob(filepath.Join(dir, "journal", "0*"))
	if err != nil {
		t.Fatal(err)
	}
	file := segments[0]
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[512*(1+2+2)+100] ^= 1 // the head, two batches that are packed, and two that are not
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var damage *eventstore.DamageError
	if _, err := boltlog.Open(dir, boltlog.Options{}); !errors.As(err, &damage) || damage.From != 41 || damage.To != 50 {
		t.Errorf("Open = %v, want damage at positions 41 to 50", err)
	}
	reader := openWith(t, dir, boltlog.Options{ReadOnly: true})
	n, err := readAll(t, reader)
	if !errors.As(err, &damage) || n != 40 || damage.From != 41 {
		t.Errorf("Read gives %d records, then %v; want 40, then damage from 41 on", n, err)
	}
	n = 0
	for records, err := range reader.Blocks(t.Context(), 1) {
		n += len(records)
		if err != nil && !errors.As(err, &damage) {
			t.Errorf("Blocks ends with %v", err)
		}
	}
	if n != 40 {
		t.Errorf("Blocks gives %d records, want 40", n)
	}
	if err := reader.Backup(t.Context(), filepath.Join(t.TempDir(), "backup")); !errors.As(err, &damage) {
		t.Errorf("Backup = %v, want the damage", err)
	}
}

// A batch larger than a segment has one of its own, which goes when it is packed.
func TestLargeBatches(t *testing.T) {
	dir := t.TempDir()
	log := openSmall(t, dir)
	for range 5 {
		last := log.Last()
		batch := eventstore.Batch{
			Records: logtest.Records(last+1, 2),
			Sides:   []eventstore.Side{{SideKey: eventstore.SideKey{Position: last + 1, Kind: 1}, Value: make([]byte, 100<<10)}},
		}
		if _, err := log.Append(t.Context(), last, batch); err != nil {
			t.Fatal(err)
		}
		logtest.Fill(t, log, 2, 1)
	}
	log = openSmall(t, asCrashed(t, log, dir))
	wantWhole(t, log, 20)
	pack(t, log)
	wantWhole(t, log, 20)
}

// What was stored and forgotten before it was packed never gets to log.db, and when
// its segment has been used again it is nowhere.
func TestForgottenIsGone(t *testing.T) {
	dir := t.TempDir()
	log := openSmall(t, dir)
	secret := []byte("a secret that nobody may find")
	key := eventstore.SideKey{Position: 1, Kind: 1}
	for _, batch := range []eventstore.Batch{
		{Records: logtest.Records(1, 1), Sides: []eventstore.Side{{SideKey: key, Value: secret}}},
		{Records: logtest.Records(2, 1), Forget: []eventstore.SideKey{key}},
	} {
		if _, err := log.Append(t.Context(), log.Last(), batch); err != nil {
			t.Fatal(err)
		}
	}
	logtest.Fill(t, log, 60, 1) // on to other segments
	pack(t, log)
	log.Close()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, secret) || err != nil {
			t.Errorf("%s holds what was forgotten, %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
