package boltlog

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// Create makes an empty log with that id in the folder dir, which is made where
// it is missing: for what is saved from another log. Where there is a log already
// the error is an [io/fs.ErrExist].
func Create(dir string, id domain.LogID) error {
	if err := makeFolder(dir); err != nil {
		return notWritable(dir, err)
	}
	return create(filepath.Join(dir, fileName), id, func(*bbolt.DB) error { return nil })
}

// OpenDamaged is [OpenFile] for a log whose end is damaged or missing, or whose
// journal is not the one it needs: reading tells so when it gets there, and
// everything in front of it can be read. Only the head has to be whole. Records past the end that the head tells are not
// noticed here.
func OpenDamaged(path string) (*Log, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the log for reading: %w", err)
	}
	return open(path, Options{ReadOnly: true, anyEnd: true})
}
