package boltlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// create makes a log at path and fills it. The file is whole and synced before it
// gets its name, and the folder is synced after that. Where there is a file of
// that name already the error is an [fs.ErrExist] and the file is not touched.
//
// A leftover of a crash is a file "log.db.new-…", which may be deleted.
func create(path string, id domain.LogID, fill func(*bbolt.DB) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(f.Close(), write(f.Name(), id, fill)); err != nil {
		return errors.Join(err, zeroAll(f.Name())) // it may hold what is to be gone one day
	}
	// Unlike a rename, a link never takes the place of another file.
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	failpoint.Reach(failpoint.CreateLinked)
	return syncFolder(filepath.Dir(path))
}

func write(path string, id domain.LogID, fill func(*bbolt.DB) error) (err error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Update(func(tx *bbolt.Tx) error { return initialise(tx, id) }); err != nil {
		return err
	}
	if err := fill(db); err != nil {
		return err
	}
	return db.Sync()
}

// makeFolder makes a folder where it is missing, and has the one above it know it for
// good, if that may be opened: else what is durable below might be out of reach.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err := syncFolder(filepath.Dir(dir))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}
