package projections

import (
	"errors"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// scratch is a database that lives as long as a check.
type scratch struct {
	folder string
	db     *bbolt.DB
}

func newScratch() (*scratch, error) {
	folder, err := os.MkdirTemp("", "rollcall-check-")
	if err != nil {
		return nil, err
	}
	options := *bbolt.DefaultOptions
	options.NoSync = true // nobody opens it a second time
	options.FreelistType = bbolt.FreelistMapType
	db, err := bbolt.Open(filepath.Join(folder, "check.db"), 0o600, &options)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return &scratch{folder, db}, nil
}

func (s *scratch) remove() error {
	return errors.Join(s.db.Close(), os.RemoveAll(s.folder))
}
