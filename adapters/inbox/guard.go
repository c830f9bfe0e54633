package inbox

import (
	"errors"
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// guard runs work on the database. Where a page is damaged bbolt panics, or
// reads past its mapping, which would end the process; both become a
// *[DamageError].
func guard(path string, work func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamageError{Path: path, Problem: fmt.Sprint("the database cannot be read: ", p)}
		}
	}()
	return work()
}

// view runs work in a transaction that reads. Nobody else's code runs in it.
func (i *Inbox) view(work func(*bbolt.Tx) error) error {
	err := guard(i.path, func() error { return i.db.View(work) })
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// update runs work in a transaction, and commits it where work changed something.
// number is the transaction's; zero where it did not begin.
//
// The transaction is not one of bbolt's managed ones: those, after a panic, read
// the file again before they let go of their lock.
func (i *Inbox) update(work func(*bbolt.Tx) (changed bool, err error)) (number int, err error) {
	err = guard(i.path, func() error {
		tx, err := i.db.Begin(true)
		if err != nil {
			return err
		}
		defer tx.Rollback() // nothing, once it is committed
		number = tx.ID()
		if changed, err := work(tx); err != nil || !changed {
			return err
		}
		return tx.Commit()
	})
	return number, err
}

// landed tells whether a transaction that could not be committed is what a reader
// sees, so that nobody knows whether the disk has it.
func (i *Inbox) landed(number int) bool {
	seen := number
	err := i.view(func(tx *bbolt.Tx) error {
		seen = tx.ID()
		return nil
	})
	return err != nil || seen >= number
}
