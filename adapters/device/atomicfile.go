package device

import (
	"fmt"
	"os"
	"path/filepath"
)

// writeNew writes a file that must not exist yet: it is there as a whole, and
// durable, or not at all. An error that is fs.ErrExist tells that it exists.
func writeNew(path string, b []byte) error {
	return writeVia(path, b, os.Link)
}

// replace writes a file in place of the one that may be at path.
func replace(path string, b []byte) error {
	return writeVia(path, b, os.Rename)
}

// writeVia writes b to a temporary file beside path, makes it durable, puts it in
// its place, and makes that durable. Only the owner may read it.
func writeVia(path string, b []byte, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
