package boltlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
	"rollcall/eventstore/boltlog/internal/journal"
)

// The names that a compaction uses in the log's folder.
const (
	compactName = "log.db.compacted"  // the new file, until it is log.db
	oldName     = "log.db.discarded"  // the file that was log.db, until it is shredded
	oldJournal  = "journal.discarded" // the journal that was beside that; where it is, the new file is the log
)

// finishCompact brings a compaction to its end that a crash has interrupted, or
// removes what it has left. It tells whether log.db is another file now. The
// lock on log.db has to be held.
func (l *Log) finishCompact(dir string) (replaced bool, err error) {
	interrupted, err := isInterrupted(dir)
	if err == nil {
		err = syncFolder(dir) // nothing is shredded for a name that only the kernel knows
	}
	switch {
	case err != nil:
		return false, err
	case interrupted:
		if err := l.checkCompacted(dir); err != nil {
			return false, err
		}
		failpoint.Reach(failpoint.FinishBefore)
		return true, takePlace(dir)
	}
	return false, errors.Join(shredAll(dir, compactName, compactName+".new-*"), discardOld(dir))
}

// isInterrupted tells whether the new file is the log already and has not taken
// its place yet.
func isInterrupted(dir string) (bool, error) {
	for _, name := range []string{oldJournal, compactName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false, unlessMissing(err)
		}
	}
	return true, nil
}

// checkCompacted fails unless the new file holds the log that it is to take the place
// of, and as much of it: somebody may have put another log.db there meanwhile.
func (l *Log) checkCompacted(dir string) error {
	next := &Log{path: filepath.Join(dir, compactName), readOnly: true}
	if err := next.openDB(); err != nil {
		return err
	}
	made, err := next.ownHead()
	if err := errors.Join(err, next.db.Close()); err != nil {
		return err
	}
	own, err := l.ownHead()
	problem := ""
	switch {
	case err != nil:
		return err
	case own.id != made.id:
		problem = "log.db is another log than the one that was being compacted here"
	case own.packed.last > made.packed.last:
		problem = fmt.Sprintf("log.db ends at position %d, behind the log that was being compacted here, which ends at %d", own.packed.last, made.packed.last)
	default:
		return nil
	}
	return &eventstore.CopyError{Path: dir, Problem: problem + "; to keep log.db move " + compactName + ", " + oldName + " and " + oldJournal +
		" elsewhere, to go on with the compacted log move log.db elsewhere"}
}

func (l *Log) ownHead() (h head, err error) {
	err = l.view(1, func(tx *bbolt.Tx) (err error) {
		h, err = l.readHead(tx)
		return err
	})
	return h, err
}

func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// discardOld shreds what a compaction has replaced.
func discardOld(dir string) error {
	if err := shred(dir, oldName); err != nil {
		return err
	}
	files, err := os.ReadDir(filepath.Join(dir, oldJournal))
	if err != nil {
		return unlessMissing(err)
	}
	for _, file := range files {
		if err := shred(dir, filepath.Join(oldJournal, file.Name())); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(filepath.Join(dir, oldJournal)), syncFolder(dir))
}

// shredAll shreds the files that have one of these names. What a crash has left of
// a new file may hold what was deleted since.
func shredAll(dir string, patterns ...string) error {
	files, err := os.ReadDir(dir)
	for _, file := range files {
		matches := func(pattern string) bool {
			ok, _ := filepath.Match(pattern, file.Name()) // the patterns are ours, and good
			return ok
		}
		if err == nil && slices.ContainsFunc(patterns, matches) {
			err = shred(dir, file.Name())
		}
	}
	return err
}

// shred fills a file of the folder with zeros and removes it. Where it is log.db
// under another name, it only loses that name.
func shred(dir, name string) error {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return unlessMissing(err)
	}
	live, err := os.Stat(filepath.Join(dir, fileName))
	if err != nil {
		return err
	}
	if !os.SameFile(info, live) {
		if err := zero(path, info.Size()); err != nil {
			return err
		}
		failpoint.Reach(failpoint.ShredZeroed)
	}
	return os.Remove(path)
}

func zeroAll(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return zero(path, info.Size())
}

// zero fills a file with zeros. Where there is no room for some of them there is
// nothing to fill: the file has a hole there.
func zero(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size && err == nil; at += int64(len(zeros)) {
		err = zeroPiece(f, zeros[:min(int64(len(zeros)), size-at)], at)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func zeroPiece(f *os.File, zeros []byte, at int64) error {
	_, err := f.WriteAt(zeros, at)
	if !journal.IsFull(err) {
		return err
	}
	for page := range slices.Chunk(zeros, 4096) {
		if _, err := f.WriteAt(page, at); err != nil && !journal.IsFull(err) {
			return err
		}
		at += int64(len(page))
	}
	return nil
}
