package boltlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names that a compaction uses in the log's folder.
const (
	compactName = "log.db.compacted" // the new file until it takes its place
	journalName = "journal"          // what was written last, where a log keeps it apart
	discardName = "journal.discarded"
)

// Compacted says what a compaction did.
type Compacted struct{ Before, After int64 } // bytes of log.db

// Compact writes the log in the folder dir anew, with the same id, events and
// side records, so that nothing of deleted side records is left in its files. The
// file that was is filled with zeros before it is given back to the disk; what
// lies below, a snapshot or a flash drive's spare cells, may still hold it.
//
// The log must not be open: else the error is an *[eventstore.InUseError]. A crash
// leaves the old log or the new one, whole; the next Compact removes, or brings to
// its end, what the crash has left.
func Compact(ctx context.Context, dir string) (Compacted, error) {
	done, err := compact(ctx, dir)
	if err != nil {
		return done, fmt.Errorf("compact the log: %w", err)
	}
	return done, nil
}

func compact(ctx context.Context, dir string) (done Compacted, err error) {
	path := filepath.Join(dir, fileName)
	info, err := os.Stat(path)
	if err != nil {
		return done, err
	}
	done.Before = info.Size()
	if err := finishCompact(dir); err != nil {
		return done, err
	}
	l, err := Open(dir, Options{})
	if err != nil {
		return done, err
	}
	old, err := l.replace(ctx, dir)
	if err = errors.Join(err, l.Close()); err != nil {
		return done, err
	}
	if err := errors.Join(wipe(old), discardJournal(dir)); err != nil {
		return done, err
	}
	if info, err = os.Stat(path); err == nil {
		done.After = info.Size()
	}
	return done, err
}

// finishCompact brings to its end what a crash has interrupted between the two
// renames: only then is there no journal beside the log and a discarded one.
func finishCompact(dir string) error {
	switch _, err := os.Stat(filepath.Join(dir, discardName)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	err := os.Rename(filepath.Join(dir, compactName), filepath.Join(dir, fileName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(syncFolder(dir), discardJournal(dir))
}

// replace puts a new file in the place of the log's own, while the log is open so
// that nobody else writes to it. It gives the old file.
func (l *Log) replace(ctx context.Context, dir string) (old *os.File, err error) {
	fresh, path := filepath.Join(dir, compactName), filepath.Join(dir, fileName)
	if err := removeLeftovers(dir); err != nil {
		return nil, err
	}
	if err := l.Backup(ctx, fresh); err != nil {
		return nil, err
	}
	if old, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	// The new file holds what the journal does: with it beside, the two would
	// not belong together.
	err = os.Rename(filepath.Join(dir, journalName), filepath.Join(dir, discardName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, old.Close())
	}
	if err := errors.Join(syncFolder(dir), os.Rename(fresh, path), syncFolder(dir)); err != nil {
		return nil, errors.Join(err, old.Close())
	}
	return old, nil
}

// removeLeftovers removes what a crash has left of new files: it may hold what
// was deleted since.
func removeLeftovers(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		name := file.Name()
		if name == compactName || strings.HasPrefix(name, fileName+".new-") || strings.HasPrefix(name, compactName+".new-") {
			err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
		}
	}
	return err
}

// wipe fills a file with zeros, and closes it.
func wipe(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < info.Size() && err == nil; at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// discardJournal wipes and removes the journal whose batches the new file holds.
func discardJournal(dir string) error {
	path := filepath.Join(dir, discardName)
	files, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.OpenFile(filepath.Join(path, file.Name()), os.O_WRONLY, 0)
		if err == nil {
			err = wipe(f)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(path), syncFolder(dir))
}
