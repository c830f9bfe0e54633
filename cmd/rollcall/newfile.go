package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeNewFile makes a file that must not exist yet, for its owner alone. It is
// there as a whole, and durable, or not at all. An error that is fs.ErrExist tells
// that it exists.
func writeNewFile(path string, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(fillAndSync(f, fill), f.Close()); err != nil {
		return err
	}
	if err := nameNew(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// nameNew gives a file a name that is not taken. Unlike a rename, a link never takes the
// place of another file; where the file system has none, the name is taken first.
func nameNew(file, path string) error {
	err := os.Link(file, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	taken, openErr := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	return errors.Join(taken.Close(), os.Rename(file, path))
}

func fillAndSync(f *os.File, fill func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
