package projections

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"rollcall/eventstore"
)

// lockWait is how long opening waits for another process to let go of the file.
const lockWait = time.Second

// asideSuffix is put behind the name of a damaged file. One is kept, to look at.
const asideSuffix = ".damaged"

// mapSize is how much of the address space is set aside for the file. A file that
// outgrows its mapping is mapped anew, for which bbolt waits for all readers, and copies
// all that the transaction has put so far.
const mapSize = 64 << 20

// growSize is by how much the file is made longer, at least.
const growSize = 64 << 10

// openFile opens the views' file; a damaged one is set aside and a new one made.
func openFile(path string, logger *slog.Logger) (*bbolt.DB, error) {
	db, err := openBolt(path, false)
	var damage *DamageError
	if errors.As(err, &damage) {
		return replaceFile(path, damage, logger)
	}
	return db, err
}

// replaceFile sets a damaged file aside and makes a new one.
func replaceFile(path string, damage *DamageError, logger *slog.Logger) (*bbolt.DB, error) {
	if err := os.Rename(path, path+asideSuffix); err != nil {
		return nil, fmt.Errorf("set the damaged views aside: %w", err)
	}
	logger.Warn("the views' file is damaged and was set aside; the views are made again from the log",
		"file", path, "aside", path+asideSuffix, "problem", damage.Problem)
	return openBolt(path, false)
}

func openBolt(path string, readOnly bool) (db *bbolt.DB, err error) {
	options := *bbolt.DefaultOptions
	options.Timeout, options.ReadOnly = lockWait, readOnly
	options.FreelistType = bbolt.FreelistMapType
	if !readOnly {
		options.InitialMmapSize = mapSize
	}
	err = guard(path, func() error {
		db, err = bbolt.Open(path, 0o600, &options)
		return err
	})
	if err == nil && !readOnly {
		db.AllocSize = growSize
		// The process before this one may have been killed in front of its sync.
		if err = db.Sync(); err != nil {
			return nil, errors.Join(fmt.Errorf("sync the views: %w", err), db.Close())
		}
	}
	var io *fs.PathError
	var damage *DamageError
	switch {
	case err == nil || errors.As(err, &damage):
		return db, err
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, &eventstore.InUseError{Path: path}
	case errors.As(err, &io):
		return nil, fmt.Errorf("open the views: %w", err)
	}
	return nil, &DamageError{Path: path, Problem: err.Error()}
}

// guard runs f, which reads the file through its memory map. bbolt takes what
// it finds there for true and panics, or the machine faults behind the end of a
// file cut short; both become a *DamageError.
func guard(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamageError{Path: path, Problem: fmt.Sprint(p)}
		}
	}()
	return f()
}

// roomError gives err, as a *[RoomError] where bbolt tells as text only that the file
// could not be made larger for want of room (as of v1.5.0).
func roomError(err error) error {
	if err == nil || !strings.HasPrefix(err.Error(), "file resize error: ") {
		return err
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if strings.HasSuffix(err.Error(), full.Error()) {
			return &RoomError{err.Error(), full}
		}
	}
	return err
}
