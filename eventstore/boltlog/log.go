package boltlog

import (
	"os"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
)

// Log is an event log on disk. It is safe for concurrent use.
type Log struct {
	path     string
	pidFile  string // empty where the log is open for reading
	readOnly bool
	id       domain.LogID
	db       *bbolt.DB

	tail atomic.Pointer[tail] // what is durable

	writing sync.Mutex // held by the one who writes
	value   []byte     // the block being written; of the writer
	failed  error      // of the writer

	mu     sync.Mutex
	grown  chan struct{} // closed when the tail has moved, or on Close
	closed bool
}

var _ eventstore.Log = (*Log)(nil)

// ID implements [eventstore.Log].
func (l *Log) ID() domain.LogID { return l.id }

// Last implements [eventstore.Reader].
func (l *Log) Last() eventstore.Position { return l.tail.Load().last }

// Close implements [eventstore.Log]. It also waits for the reads under way, each
// of which is short.
func (l *Log) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if !l.shut() {
		return nil
	}
	if l.pidFile != "" {
		os.Remove(l.pidFile) // it only helps to word an error
	}
	return l.db.Close()
}

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

// publish makes a new tail visible and wakes the followers.
func (l *Log) publish(t tail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail.Store(&t)
	close(l.grown)
	l.grown = make(chan struct{})
}

// watch gives what is closed when the tail moves on from what Last gives after
// this call, and ErrClosed where the log is closed.
func (l *Log) watch() (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, eventstore.ErrClosed
	}
	return l.grown, nil
}
