package inbox

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain/broker"
)

// Inbox keeps on disk what waits for devices. It is safe for concurrent use; as
// [broker.Inbox] says, the letters of one mailbox are put by one goroutine at a
// time.
type Inbox struct {
	path    string
	options Options
	db      *bbolt.DB
	file    *os.File // the one that db has open

	wake    chan struct{} // tells the writer that there is work; closed by Close
	stopped chan struct{} // closed when the writer is done
	failed  chan struct{} // closed when failure is set

	mu         sync.Mutex
	queue      []*request
	forgets    map[broker.MailboxID]uint64 // not written, and not being written
	forgetting map[broker.MailboxID]uint64 // being written
	timer      *time.Timer                 // runs while forgets wait for a commit
	due        bool                        // they have waited long enough
	failure    error                       // why nothing is written any more
	lost       error                       // why some were not written at Close
	closed     bool
	stats      Stats
}

var _ broker.Inbox = (*Inbox)(nil)

// Failed gives what is closed when a write has failed in a way that leaves open
// what is on the disk. Nothing is written from then on; the process is to stop.
func (i *Inbox) Failed() <-chan struct{} { return i.failed }

// Err gives why the inbox has failed, an [ErrFailed]; nil while it has not.
func (i *Inbox) Err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.failure
}

func (i *Inbox) fail(err error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failure == nil {
		i.failure = fmt.Errorf("%w: %s: %w", ErrFailed, i.path, err)
		close(i.failed)
	}
	return i.failure
}

// Close writes what has been handed in and what was forgotten, and closes the
// file. It waits for the reads under way, each of which is short. An error tells
// that what was forgotten may be there again; nothing else is lost.
func (i *Inbox) Close() error {
	i.mu.Lock()
	if i.closed {
		i.mu.Unlock()
		return nil
	}
	i.closed = true
	close(i.wake)
	if i.timer != nil {
		i.timer.Stop()
	}
	i.mu.Unlock()
	<-i.stopped
	return errors.Join(i.lost, i.db.Close())
}
