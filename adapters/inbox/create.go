package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// prepare makes an empty inbox where there is none.
func prepare(path string, log domain.LogID) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return notWritable(path, err)
	}
	err := create(path, log)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster; opening tells
	}
	return notWritable(path, err)
}

// create makes an inbox. The file is whole and synced before it gets its name, and
// the folder is synced after that.
//
// A leftover of a crash is a file "inbox.db.new-…", which may be deleted.
func create(path string, log domain.LogID) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(f.Close(), write(f.Name(), log)); err != nil {
		return err
	}
	// Unlike a rename, a link never takes the place of another file.
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func write(path string, log domain.LogID) (err error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, PageSize: pageSize, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Update(func(tx *bbolt.Tx) error { return initialise(tx, log) }); err != nil {
		return err
	}
	return db.Sync()
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

func notWritable(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the inbox %s cannot be written: %w; make the folder and what is in it writable for the user that rollcall runs as", path, err)
}
