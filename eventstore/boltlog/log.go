package boltlog

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
	"rollcall/eventstore/boltlog/internal/journal"
)

// Log is an event log on disk. It is safe for concurrent use.
type Log struct {
	path     string // of log.db
	owned    bool   // log.pid says that this process has it
	readOnly bool
	id       domain.LogID
	db       *bbolt.DB

	journal   *journal.Journal // nil where there is none to read
	journalID journal.ID

	chainBroken bool // the last link is damaged: there will be no more

	state atomic.Pointer[state]

	writing        sync.Mutex // held by the one who appends
	block, content []byte     // of the one who appends
	unproven       bool       // the last frame is no mark; of the one who appends

	packing     sync.Mutex  // held by the one who packs; taken before mu
	copying     atomic.Bool // a backup holds packing
	packedFrame uint64      // of the one who packs
	wake        chan struct{}
	packed      sync.WaitGroup

	mu     sync.Mutex
	sides  map[eventstore.SideKey]pending // what the journal says of side records
	grown  chan struct{}                  // closed when the log has grown, or on Close
	failed error
	closed bool
}

var _ eventstore.Log = (*Log)(nil)

// ID implements [eventstore.Log].
func (l *Log) ID() domain.LogID { return l.id }

// Last implements [eventstore.Reader].
func (l *Log) Last() eventstore.Position { return l.state.Load().end.last }

// Close implements [eventstore.Log]. It also waits for the packer, and for the reads
// under way, each of which is short.
func (l *Log) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if !l.shut() {
		return nil
	}
	var err error
	if l.journal != nil {
		err = l.closeJournal()
	}
	if l.owned {
		disown(filepath.Dir(l.path))
	}
	return errors.Join(err, l.db.Close())
}

func (l *Log) closeJournal() error {
	close(l.wake)
	l.packed.Wait()
	l.packing.Lock() // waits for Pack
	defer l.packing.Unlock()
	failpoint.Reach(failpoint.CloseBefore)
	mark := l.unproven && l.failure() == nil
	frame, err := l.journal.Close(mark, l.Last())
	if err != nil || !mark || l.readOnly {
		return err
	}
	failpoint.Reach(failpoint.CloseMarked)
	return l.noteReached(frame)
}

// noteReached notes how far the journal goes, so that the next to open it sees whether
// its end is still there. A full disk is no reason not to close.
func (l *Log) noteReached(frame uint64) error {
	err := guard(l.path, l.Last(), func() error {
		return l.db.Update(func(tx *bbolt.Tx) error { return putReached(tx, frame, l.Last()) })
	})
	if err = packError(err); errors.Is(err, eventstore.ErrFull) {
		return nil
	}
	return err
}

// Damage gives what ends a log early that is open for reading although its journal is
// damaged: what reading gives at the end. It is nil for any other log.
func (l *Log) Damage() error { return l.state.Load().broken }

// shut marks the log as closed and wakes the followers; false if it was closed.
func (l *Log) shut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.closed = true
	close(l.grown)
	return true
}

// publish makes a durable batch visible and wakes the followers.
func (l *Log) publish(f frame) {
	l.unproven = true
	l.mu.Lock()
	s := l.state.Load().with(f)
	l.state.Store(s)
	l.note(f)
	if f.records > 0 {
		close(l.grown)
		l.grown = make(chan struct{})
	}
	l.mu.Unlock()
	l.wakePacker(s)
}

// watch gives what is closed when the log grows from what Last gives after this
// call, and ErrClosed where the log is closed.
func (l *Log) watch() (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, eventstore.ErrClosed
	}
	return l.grown, nil
}

// fail notes that a write has failed and left open what is on the disk: nothing is
// taken from then on.
func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", eventstore.ErrFailed, err)
	}
}

func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}
