package boltlog

import (
	"cmp"
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
	"rollcall/eventstore/boltlog/internal/failpoint"
	"rollcall/eventstore/boltlog/internal/journal"
)

// The files of a log in its folder.
const (
	fileName = "log.db"
	dirName  = "journal" // what was written last
)

// Options say how to open a log. The zero value opens it for writing, and makes
// it where there is none.
type Options struct {
	// ReadOnly opens a log that is there, and writes nothing, not even to the
	// folder. Several processes may do so at once, but not while one has the
	// log open for writing.
	ReadOnly bool
	// SegmentSize is how large, in bytes, each file of the journal is made;
	// [DefaultSegmentSize] where it is 0.
	SegmentSize int64

	anyEnd bool // the end need not be whole; see OpenDamaged
}

// DefaultSegmentSize is enough for some seconds of writing.
const DefaultSegmentSize = 4 << 20

// Open opens the log in the folder dir.
//
// Where another process is in the way the error is an *[eventstore.InUseError]
// at once. Where the log is of a newer format it is an *[eventstore.FormatError],
// where its head or its journal is damaged an *[eventstore.DamageError], where its
// files do not belong together an *[eventstore.CopyError]. Where there is no log to
// read, errors.Is(err, fs.ErrNotExist).
//
// For reading, a log whose journal is damaged is opened, and what is read ends with
// the error.
func Open(dir string, options Options) (*Log, error) {
	if options.ReadOnly {
		return openReadOnly(dir)
	}
	path := filepath.Join(dir, fileName)
	if err := prepare(dir, path); err != nil {
		return nil, err
	}
	l, err := open(path, options)
	if err != nil {
		return nil, err
	}
	if err := l.own(); err != nil {
		return nil, errors.Join(notWritable(dir, err), l.Close())
	}
	return l, nil
}

// openReadOnly opens the log in a folder as it would be if it could be written.
func openReadOnly(dir string) (*Log, error) {
	path := filepath.Join(dir, fileName)
	if interrupted, err := isInterrupted(dir); interrupted && err == nil {
		if err := checkReplaced(path, dir); err != nil {
			return nil, err
		}
		path = filepath.Join(dir, compactName)
	}
	l, err := OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = cmp.Or(journal.Occupied(filepath.Join(dir, dirName)), err)
	}
	return l, err
}

// checkReplaced fails where log.db is there and is not what the new file of an
// interrupted compaction was made of.
func checkReplaced(path, dir string) error {
	old := &Log{path: path, readOnly: true}
	if _, err := os.Stat(path); err != nil || old.openDB() != nil {
		return nil // it says nothing
	}
	err := old.checkCompacted(dir)
	if err := errors.Join(err, old.db.Close()); errors.As(err, new(*eventstore.CopyError)) {
		return err
	}
	return nil
}

// OpenFile opens one log file for reading: a backup, or the log.db of a copied
// folder, which needs the journal beside it. The errors are those of [Open].
func OpenFile(path string) (*Log, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the log for reading: %w", err)
	}
	return open(path, Options{ReadOnly: true})
}

// prepare makes the folder and an empty log where they are missing, but for a log that
// an interrupted compaction has written anew.
func prepare(dir, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return notWritable(dir, err)
	}
	interrupted, err := isInterrupted(dir)
	switch {
	case err != nil:
		return notWritable(dir, err)
	case interrupted:
		return notWritable(dir, errors.Join(syncFolder(dir), takePlace(dir)))
	}
	if err := makeFolder(dir); err != nil {
		return notWritable(dir, err)
	}
	if err := journal.Occupied(filepath.Join(dir, dirName)); err != nil {
		return err
	}
	err = create(path, domain.LogID(uuid.New()), func(*bbolt.DB) error { return nil })
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster; opening tells
	}
	return notWritable(dir, err)
}

func notWritable(dir string, err error) error {
	copied := (*eventstore.CopyError)(nil)
	switch {
	case err == nil, errors.As(err, &copied):
		return err
	case journal.IsFull(err):
		return fmt.Errorf("the log cannot be written in the folder %s: %w; free space on that disk", dir, err)
	}
	return fmt.Errorf("the log cannot be written in the folder %s: %w; make it writable for the user that rollcall runs as, or choose another folder with --data", dir, err)
}

func open(path string, options Options) (*Log, error) {
	l := &Log{path: path, readOnly: options.ReadOnly, grown: make(chan struct{}), sides: make(map[eventstore.SideKey]pending), wake: make(chan struct{}, 1)}
	if !options.anyEnd {
		if err := checkCopied(path); err != nil {
			return nil, err
		}
	}
	if err := l.openWhole(); err != nil {
		return nil, err
	}
	h, err := l.ownHead()
	if err == nil && !options.anyEnd {
		err = l.checkTail(h.packed)
	}
	if err == nil {
		err = l.openJournal(h, options)
	}
	if err != nil {
		return nil, errors.Join(err, l.db.Close())
	}
	return l, nil
}

// openJournal reads what lies behind the database, and makes a journal where a
// log that is to be written has none: when it is new, or was a backup.
func (l *Log) openJournal(h head, options Options) error {
	l.id, l.chainBroken = h.id, h.broken
	l.state.Store(&state{end: h.packed, packed: h.packed, sealed: h.sealed})
	dir := filepath.Join(filepath.Dir(l.path), dirName)
	size := cmp.Or(options.SegmentSize, DefaultSegmentSize)
	if !h.hasJournal {
		if options.anyEnd {
			return nil
		}
		if l.readOnly {
			return l.checkAlone(dir)
		}
		disown(filepath.Dir(l.path)) // whoever it was had another log.db
		if err := l.makeJournal(&h, dir, size); err != nil {
			return err
		}
	}
	l.journalID, l.packedFrame = h.journal, h.frame
	j, frames, err := journal.Open(dir, journal.Expect{
		ID: h.journal, Frame: h.frame, Position: h.packed.last, Reached: h.reached, ReachedTo: h.reachedTo,
	}, size, l.readOnly)
	damaged, copied := (*eventstore.DamageError)(nil), (*eventstore.CopyError)(nil)
	if options.anyEnd && errors.As(err, &copied) { // what log.db holds can be read
		frames, err = nil, l.damage(h.packed.last+1, copied.Problem)
	}
	if err != nil && !(l.readOnly && errors.As(err, &damaged)) {
		return err
	}
	if framesErr := l.takeFrames(frames); framesErr != nil {
		return errors.Join(framesErr, closeIf(j))
	}
	if damaged != nil {
		l.state.Load().broken = damaged
	}
	if l.journal = j; !l.readOnly {
		l.packed.Go(l.packer)
		l.wakePacker(l.state.Load())
	}
	return nil
}

func closeIf(j *journal.Journal) error {
	if j == nil {
		return nil
	}
	_, err := j.Close(false, 0)
	return err
}

// checkAlone looks whether a log without a journal lies beside somebody else's.
func (l *Log) checkAlone(dir string) error {
	if filepath.Base(l.path) != fileName {
		return nil // a backup may lie anywhere
	}
	return journal.Occupied(dir)
}

// makeJournal makes an empty journal, and then says so in the database: a crash
// between the two leaves a journal that nothing is in, which is made again.
func (l *Log) makeJournal(h *head, dir string, size int64) error {
	h.hasJournal, h.journal = true, journal.ID(uuid.New())
	if err := journal.Create(dir, h.journal, size); err != nil {
		return notWritable(filepath.Dir(dir), err)
	}
	if err := syncFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	failpoint.Reach(failpoint.CreateJournal)
	return guard(l.path, 1, func() error {
		return l.db.Update(func(tx *bbolt.Tx) error { return putJournal(tx, h.journal, 0) })
	})
}

// takeFrames takes what the journal holds.
func (l *Log) takeFrames(frames []journal.Frame) error {
	s := l.state.Load()
	for _, j := range frames {
		f, err := openFrame(j, s.end)
		if err != nil {
			return l.damage(s.end.last+1, err.Error())
		}
		s = s.with(f)
		l.note(f)
		l.unproven = len(j.Content) > 0
	}
	l.state.Store(s)
	return nil
}

// openWhole opens the database. Where a compaction of a log that is to be written
// was interrupted, it is brought to its end first.
func (l *Log) openWhole() error {
	if err := l.openDB(); err != nil || l.readOnly {
		return err
	}
	replaced, err := l.finishCompact(filepath.Dir(l.path))
	if err != nil {
		return errors.Join(fmt.Errorf("finish the compaction that was interrupted: %w", err), l.db.Close())
	}
	if !replaced {
		return nil
	}
	if err := l.db.Close(); err != nil {
		return err
	}
	return l.openWhole()
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
	if problem := l.treeProblem(); problem != nil {
		return errors.Join(l.damage(1, problem.Error()), l.db.Close())
	}
	if l.readOnly {
		return nil
	}
	if err := settleHeader(l.path); err != nil {
		return errors.Join(fmt.Errorf("sync %s: %w", l.path, err), l.db.Close())
	}
	return nil
}

// treeProblem walks the pages of a file that may not be what a process left when it
// closed it: one that was not closed, or is only to be read and may come from
// anywhere. To walk all files at each start would cost a start of a long log as much
// again.
func (l *Log) treeProblem() error {
	if !l.readOnly && !readOwner(filepath.Dir(l.path)).there {
		return nil
	}
	return checkTree(l.path)
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
	e.PID = readOwner(filepath.Dir(l.path)).pid
	return e
}
