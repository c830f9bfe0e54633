package inbox

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// FileName is the name of the inbox in the data folder.
const FileName = "inbox.db"

// Options say how much a mailbox holds. The zero value is what the appliance uses.
type Options struct {
	// Letters is how many letters and notes a mailbox holds; [DefaultLetters]
	// where it is 0.
	Letters int
	// Bytes is how many bytes of sealed letters a mailbox holds;
	// [DefaultBytes] where it is 0.
	Bytes int

	noSync bool // for tests that need no disk
}

// What a mailbox holds, unless the options say otherwise.
const (
	DefaultLetters = 1024
	DefaultBytes   = 1 << 20
)

const (
	pageSize = 4096 // of new files, whatever the machine's
	// mapped is how much address space a file has from the start: growing it
	// later waits for the readers.
	mapped = 64 << 20
	// openWait is how long another process is waited for.
	openWait = 500 * time.Millisecond
)

// Open opens the inbox at path, which belongs to the log with that id, and makes
// it where there is none. All of it is read once.
//
// Where another process has it open the error is an *[InUseError], after half a
// second; where it belongs to another log an *[OtherLogError]; where it is of a
// newer format a *[FormatError]; where something in it cannot be read a
// *[DamageError]. Each says what to do.
func Open(path string, log domain.LogID, options Options) (*Inbox, error) {
	options.Letters = cmp.Or(options.Letters, DefaultLetters)
	options.Bytes = cmp.Or(options.Bytes, DefaultBytes)
	if err := prepare(path, log); err != nil {
		return nil, err
	}
	i := &Inbox{
		path: path, options: options,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), failed: make(chan struct{}),
		forgets: make(map[broker.MailboxID]uint64), forgetting: make(map[broker.MailboxID]uint64),
	}
	if err := i.check(log); err != nil {
		return nil, err
	}
	if err := i.openDB(false); err != nil {
		return nil, err
	}
	info, err := i.file.Stat()
	if err != nil {
		return nil, errors.Join(err, i.db.Close())
	}
	i.stats.FileSize = info.Size()
	go i.writer()
	return i, nil
}

// check reads all there is, from a database that is not written: first its pages,
// then what stands on them. Only what has been seen to be whole is opened for
// writing: there bbolt walks the pages on a goroutine of its own, where no guard
// would help.
func (i *Inbox) check(log domain.LogID) error {
	if err := i.openDB(true); err != nil {
		return err
	}
	if err := checkPages(i.file); err != nil {
		return errors.Join(i.damage(err.Error()), i.db.Close())
	}
	err := i.view(func(tx *bbolt.Tx) error {
		if err := i.checkMeta(tx, log); err != nil {
			return err
		}
		return i.checkRows(tx.Bucket(bucketRows))
	})
	return errors.Join(err, i.db.Close())
}

// openDB maps the database, once its head has been seen to be whole.
func (i *Inbox) openDB(readOnly bool) error {
	problem := checkHeader(i.path)
	if errors.Is(problem, fs.ErrPermission) {
		return notWritable(i.path, problem)
	}
	err := guard(i.path, func() (err error) {
		i.db, err = i.openBolt(readOnly || problem != nil)
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return &InUseError{Path: i.path} // which may be why the head looked bad
	case err == nil && problem != nil:
		return errors.Join(i.damage(problem.Error()), i.db.Close())
	case errors.As(err, new(*DamageError)):
		return errors.Join(err, i.abandon())
	case problem != nil:
		return i.damage(problem.Error())
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return i.damage(err.Error())
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return notWritable(i.path, err)
	case err != nil:
		return fmt.Errorf("open %s: %w", i.path, err)
	case readOnly || i.options.noSync:
		return nil
	}
	if err := settleHeader(i.path); err != nil {
		return errors.Join(fmt.Errorf("sync %s: %w", i.path, err), i.db.Close())
	}
	return nil
}

// abandon lets go of the file of a database that panicked while it was opened. Its
// mapping stays, which nobody can undo, and would keep the lock.
func (i *Inbox) abandon() error {
	if i.file == nil {
		return nil
	}
	return errors.Join(unlock(i.file), i.file.Close())
}

// openBolt opens the database. bbolt does not grow its file: see makeRoom. It does
// not write down which pages are free either: after a peak that would be most of
// each commit.
func (i *Inbox) openBolt(readOnly bool) (*bbolt.DB, error) {
	return bbolt.Open(i.path, 0o600, &bbolt.Options{
		Timeout:         openWait,
		ReadOnly:        readOnly,
		NoGrowSync:      true,
		NoSync:          i.options.noSync,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapped,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode)
			i.file = f
			return f, err
		},
	})
}
