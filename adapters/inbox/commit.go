package inbox

import (
	"errors"
	"fmt"
	"syscall"

	"go.etcd.io/bbolt"

	"rollcall/domain/broker"
)

// commitBatch writes a batch in one transaction, and gives how each of its changes
// went: those forgotten, and then those requested. Where there is no room for it
// as a whole each change is tried alone: some of them make room.
func (i *Inbox) commitBatch(b batch) []error {
	ops := make([]op, 0, b.size())
	for _, f := range b.forgets {
		ops = append(ops, f)
	}
	for _, r := range b.requests {
		ops = append(ops, r.op)
	}
	err := i.commit(ops...)
	errs := make([]error, len(ops))
	for n, o := range ops {
		if errors.Is(err, broker.ErrInboxFull) && len(ops) > 1 {
			errs[n] = i.commit(o)
		} else {
			errs[n] = err
		}
	}
	return errs
}

// commit makes the changes in one transaction. An error tells that none was made:
// there is no room, or the inbox has failed.
func (i *Inbox) commit(ops ...op) error {
	if err := i.Err(); err != nil {
		return err
	}
	c := &change{inbox: i}
	number, err := i.update(func(tx *bbolt.Tx) (changed bool, err error) {
		c.rows = tx.Bucket(bucketRows)
		switch err := i.makeRoom(tx, ops); {
		case errors.Is(err, broker.ErrInboxFull) && known(c, ops):
			return false, nil
		case err != nil:
			return false, err
		}
		for _, o := range ops {
			if err := o.apply(c); err != nil {
				return false, err
			}
		}
		return c.dirty, c.countMailboxes()
	})
	if err != nil {
		return i.failedCommit(number, err)
	}
	if c.dirty {
		i.count(c, len(ops))
	}
	return nil
}

// known tells that all there is to do is to put one letter that was put before: for
// that no room is needed.
func known(c *change, ops []op) bool {
	p, ok := ops[0].(*put)
	if !ok || len(ops) > 1 {
		return false
	}
	h, _, err := c.head(p.id)
	if err != nil || h.key != p.letter.Key || !p.knownTo(h) {
		return false
	}
	p.fresh, p.refused = false, nil
	return true
}

// failedCommit tells what an error of a transaction means. Where there was no room
// for its pages the head of the database still tells of the ones in front of it,
// which are whole: nothing has changed. Otherwise nobody knows what the disk has,
// and asking it to sync once more would not tell.
func (i *Inbox) failedCommit(number int, err error) error {
	if !errors.Is(err, broker.ErrInboxFull) {
		if !isFull(err) || i.landed(number) {
			return i.fail(err)
		}
		err = full(err)
	}
	return err
}

func full(err error) error { return fmt.Errorf("%w: %w", broker.ErrInboxFull, err) }

// isFull tells whether an error of the system is one of no room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
