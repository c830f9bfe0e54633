package boltlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/journal"
)

// pidName is the file that says who has the log open for writing, and which file
// log.db is to them: the process's id and the number of the file's inode, in decimal.
// It is there as long as they have it open, and stays where they are killed.
const pidName = "log.pid"

// owner is what that file says; the zero value where there is none.
type owner struct {
	there bool // the file
	pid   int
	inode uint64 // zero where the system has no such thing
}

func readOwner(dir string) (o owner) {
	b, err := os.ReadFile(filepath.Join(dir, pidName))
	o.there = !errors.Is(err, fs.ErrNotExist)
	fmt.Sscan(string(b), &o.pid, &o.inode) // what is no number stays zero
	return o
}

// own says that this process has the log. On a full disk it stays unsaid: that is no
// reason to stay closed. A file that another user's process has left is replaced.
func (l *Log) own() error {
	path := filepath.Join(filepath.Dir(l.path), pidName)
	line := fmt.Appendln(nil, os.Getpid(), inodeOf(l.path))
	err := os.WriteFile(path, line, 0o600)
	if errors.Is(err, fs.ErrPermission) && os.Remove(path) == nil {
		err = os.WriteFile(path, line, 0o600)
	}
	l.owned = true
	if journal.IsFull(err) {
		return nil
	}
	return err
}

func disown(dir string) { os.Remove(filepath.Join(dir, pidName)) }

// checkCopied fails where log.db is not the file that a process had open which did not
// close it. A file that was copied while it was written may be torn in a way that
// nothing else tells.
func checkCopied(path string) error {
	dir := filepath.Dir(path)
	o := readOwner(dir)
	if filepath.Base(path) != fileName || o.inode == 0 {
		return nil
	}
	if now := inodeOf(path); now == 0 || now == o.inode {
		return nil
	}
	if journal.Occupied(filepath.Join(dir, dirName)) == nil {
		return nil // a backup that was put in its place, or a log that was never written
	}
	return &eventstore.CopyError{Path: path, Problem: fmt.Sprintf("it is a copy of the file that process %d had open (if that had been killed before the copy was made, remove %s here and try again)", o.pid, pidName)}
}
