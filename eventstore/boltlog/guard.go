package boltlog

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"rollcall/eventstore"
)

// guard runs work on the database. Where a page is damaged bbolt panics, or
// reads past its mapping, which would end the process; both become a
// *[eventstore.DamageError] at from.
func guard(path string, from eventstore.Position, work func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &eventstore.DamageError{Path: path, From: from, Problem: fmt.Sprint("the database cannot be read: ", p)}
		}
	}()
	return work()
}

// view runs work in a short transaction; from is where damage is told to begin.
func (l *Log) view(from eventstore.Position, work func(*bbolt.Tx) error) error {
	return closedError(guard(l.path, from, func() error { return l.db.View(work) }))
}

// closedError gives err, or ErrClosed where it tells that the database is closed.
func closedError(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return eventstore.ErrClosed
	}
	return err
}
