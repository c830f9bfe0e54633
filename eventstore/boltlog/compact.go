package boltlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"rollcall/eventstore/boltlog/internal/failpoint"
)

// Compacted says what a compaction did.
type Compacted struct{ Before, After int64 } // bytes of log.db

// Compact writes the log in the folder dir anew, with the same id, events and
// side records, so that nothing of deleted side records is left in its files. The
// file that was is filled with zeros before it is given back to the disk; what
// lies below, a snapshot or a flash drive's spare cells, may still hold it.
//
// The log must not be open: else the error is an *[eventstore.InUseError]. A crash
// leaves the old log or the new one, whole; the next [Open] for writing brings
// what was interrupted to its end.
func Compact(ctx context.Context, dir string) (Compacted, error) {
	done, err := compact(ctx, dir, Options{})
	if err != nil {
		return done, fmt.Errorf("compact the log: %w", err)
	}
	return done, nil
}

func compact(ctx context.Context, dir string, options Options) (done Compacted, err error) {
	path := filepath.Join(dir, fileName)
	if done.Before, err = sizeOf(path); errors.Is(err, fs.ErrPermission) {
		return done, notWritable(dir, err)
	} else if err != nil {
		return done, err
	}
	l, err := Open(dir, options)
	if err != nil {
		return done, err
	}
	if err := errors.Join(l.replace(ctx, dir), l.Close()); err != nil {
		return done, err
	}
	done.After, err = sizeOf(path)
	return done, err
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// replace puts a new file in the place of the log's own. The lock on the old file
// and then the one on the new keep everybody else out.
func (l *Log) replace(ctx context.Context, dir string) error {
	l.packing.Lock() // the packer has nothing to add any more
	defer l.packing.Unlock()
	l.unproven = false // nor is there a journal to write a mark to
	if err := shredAll(dir, fileName+".new-*"); err != nil {
		return err
	}
	fresh := filepath.Join(dir, compactName)
	if err := l.backup(ctx, fresh, heldAlready{}); err != nil {
		return err
	}
	var next *bbolt.DB
	err := guard(fresh, 1, func() (err error) {
		next, err = openBolt(fresh, false)
		return err
	})
	if err != nil {
		return err
	}
	failpoint.Reach(failpoint.CompactFilled)
	return errors.Join(swap(dir), next.Close())
}

// heldAlready is a lock that the caller holds.
type heldAlready struct{}

func (heldAlready) Lock()   {}
func (heldAlready) Unlock() {}

// swap has the new file take the place of the log. The new file holds what the
// journal does, and beside that journal it would be a copy of another moment: so
// the journal goes first, and from then on the new file is the log.
func swap(dir string) error {
	if err := os.Link(filepath.Join(dir, fileName), filepath.Join(dir, oldName)); err != nil {
		return err
	}
	failpoint.Reach(failpoint.CompactLinked)
	if err := syncFolder(dir); err != nil { // else the old file might lose its only name
		return err
	}
	if err := os.Rename(filepath.Join(dir, dirName), filepath.Join(dir, oldJournal)); err != nil {
		return err
	}
	failpoint.Reach(failpoint.CompactDecided)
	if err := syncFolder(dir); err != nil {
		return err
	}
	if err := takePlace(dir); err != nil {
		return err
	}
	return discardOld(dir)
}

// takePlace gives the new file the name of the old one.
func takePlace(dir string) error {
	if err := os.Rename(filepath.Join(dir, compactName), filepath.Join(dir, fileName)); err != nil {
		return err
	}
	failpoint.Reach(failpoint.CompactReplaced)
	return syncFolder(dir)
}
