package inbox

import (
	"bytes"

	"go.etcd.io/bbolt"

	"rollcall/domain/broker"
)

// change is a transaction that writes, and what it has changed so far.
type change struct {
	inbox *Inbox
	rows  *bbolt.Bucket
	dirty bool // something is to be committed

	mailboxes, waiting, bytes int // how many more there are
	dropped                   uint64
}

// An op is one change that somebody wants. An error of apply ends the transaction.
// It may be applied again, in another one, where the first could not be committed.
type op interface {
	apply(c *change) error
	// need gives how many bytes it may take in pages of their own, and whether
	// it makes the inbox fuller.
	need() (bytes int, fills bool)
}

// head gives how a mailbox stands; ok is false where there is none.
func (c *change) head(id broker.MailboxID) (h head, ok bool, err error) {
	return c.inbox.readHead(c.rows, id)
}

func (c *change) putHead(id broker.MailboxID, h *head) error {
	return c.put(headKey(id), h.encode())
}

// put writes a row. Neither slice may change before the commit.
func (c *change) put(key, value []byte) error {
	c.dirty = true
	return c.rows.Put(key, seal(key, value))
}

func (c *change) delete(key []byte) error {
	c.dirty = true
	return c.rows.Delete(key)
}

// keysFrom gives copies of the keys from first up to, but not with, end.
func (c *change) keysFrom(first, end []byte) (keys [][]byte) {
	cursor := c.rows.Cursor()
	for k, _ := cursor.Seek(first); k != nil && (end == nil || bytes.Compare(k, end) < 0); k, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// countMailboxes keeps how many mailboxes there are in the bucket's sequence number,
// so that one that vanishes with its rows is noticed.
func (c *change) countMailboxes() error {
	if c.mailboxes == 0 {
		return nil
	}
	return c.rows.SetSequence(c.rows.Sequence() + uint64(c.mailboxes))
}

func (c *change) deleteAll(keys [][]byte) error {
	for _, k := range keys {
		if err := c.delete(k); err != nil {
			return err
		}
	}
	return nil
}

// readHead gives a mailbox's head, whose digests are not to be kept beyond the
// transaction; ok is false where there is no such mailbox.
func (i *Inbox) readHead(rows *bbolt.Bucket, id broker.MailboxID) (h head, ok bool, err error) {
	key := headKey(id)
	sealed := rows.Get(key)
	if sealed == nil {
		return h, false, nil
	}
	value, ok := unseal(key, sealed)
	if ok {
		h, ok = decodeHead(value)
	}
	if !ok {
		return h, false, i.damagedRow(rowKey{id: id, kind: kindHead})
	}
	return h, true, nil
}
