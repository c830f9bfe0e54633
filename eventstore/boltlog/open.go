package boltlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"rollcall/domain"
	"rollcall/eventstore"
)

// The files of a log in its folder.
const (
	fileName = "log.db"
	pidName  = "log.pid" // who has the log open for writing
)

// Options say how to open a log. The zero value opens it for writing, and makes
// it where there is none.
type Options struct {
	// ReadOnly opens a log that is there, and writes nothing, not even to the
	// folder. Several processes may do so at once, but not while one has the
	// log open for writing.
	ReadOnly bool
}

// Open opens the log in the folder dir.
//
// Where another process is in the way the error is an *[eventstore.InUseError]
// at once. Where the log is of a newer format it is an *[eventstore.FormatError],
// where its head is damaged an *[eventstore.DamageError]. Where there is no log to
// read, errors.Is(err, fs.ErrNotExist).
func Open(dir string, options Options) (*Log, error) {
	path := filepath.Join(dir, fileName)
	if options.ReadOnly {
		return OpenFile(path)
	}
	if err := prepare(dir, path); err != nil {
		return nil, err
	}
	l, err := open(path, false)
	if err != nil {
		return nil, err
	}
	l.pidFile = filepath.Join(dir, pidName)
	if err := os.WriteFile(l.pidFile, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
		return nil, errors.Join(notWritable(dir, err), l.Close())
	}
	return l, nil
}

// OpenFile opens one log file for reading: a backup, or the log.db of a copied
// folder. The errors are those of [Open].
func OpenFile(path string) (*Log, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the log for reading: %w", err)
	}
	return open(path, true)
}

// prepare makes the folder and an empty log where they are missing.
func prepare(dir, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return notWritable(dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return notWritable(dir, err)
	}
	err := create(path, domain.LogID(uuid.New()), func(*bbolt.DB) error { return nil })
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster; opening tells
	}
	return notWritable(dir, err)
}

func notWritable(dir string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the log cannot be written in the folder %s: %w; make it writable for the user that rollcall runs as, or choose another folder with --data", dir, err)
}

func open(path string, readOnly bool) (*Log, error) {
	l := &Log{path: path, readOnly: readOnly, grown: make(chan struct{})}
	if err := l.openDB(); err != nil {
		return nil, err
	}
	err := l.view(1, l.readMeta)
	if err == nil {
		err = l.checkTail()
	}
	if err != nil {
		return nil, errors.Join(err, l.db.Close())
	}
	return l, nil
}

// openDB maps the database, once its head has been seen to be whole.
func (l *Log) openDB() error {
	if problem := checkHeader(l.path); problem != nil {
		return l.whyBad(problem)
	}
	err := guard(l.path, 1, func() (err error) {
		l.db, err = openBolt(l.path, l.readOnly)
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return l.inUse()
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return l.damage(1, err.Error())
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return notWritable(filepath.Dir(l.path), err)
	case err != nil:
		return fmt.Errorf("open %s: %w", l.path, err)
	}
	return nil
}

// whyBad tells what a bad head means: that the log is being written just now, or
// that it is damaged.
func (l *Log) whyBad(problem error) error {
	if errors.Is(problem, fs.ErrPermission) {
		return fmt.Errorf("open the log: %w", problem)
	}
	err := guard(l.path, 1, func() error {
		db, err := openBolt(l.path, true)
		if err == nil {
			err = db.Close()
		}
		return err
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return l.inUse()
	}
	return l.damage(1, problem.Error())
}

// openBolt never waits: the shortest timeout there is.
func openBolt(path string, readOnly bool) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      1,
		ReadOnly:     readOnly,
		FreelistType: bbolt.FreelistMapType,
	})
}

// inUse tells who is in the way. Readers leave no name.
func (l *Log) inUse() error {
	e := &eventstore.InUseError{Path: l.path}
	db, err := openBolt(l.path, true)
	if err == nil {
		return errors.Join(e, db.Close()) // only readers let another one in
	}
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(l.path), pidName)); err == nil {
		fmt.Sscan(string(b), &e.PID) // stays zero if it is no number
	}
	return e
}
