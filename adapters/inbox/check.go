package inbox

import (
	"fmt"

	"go.etcd.io/bbolt"

	"rollcall/domain/broker"
)

// checker reads all rows, one after the other, and sees whether they tell one
// story.
type checker struct {
	inbox          *Inbox
	id             broker.MailboxID
	head           head // of the mailbox that is being read
	there          bool
	next           uint64 // the number that the next letter or note begins with
	waiting, bytes int
	answers        uint64 // the number of the next row of answers; zero in front of the first
}

// checkRows reads all there is, and counts it.
func (i *Inbox) checkRows(rows *bbolt.Bucket) error {
	c := &checker{inbox: i}
	cursor := rows.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		if err := c.row(k, v); err != nil {
			return err
		}
	}
	if err := c.end(); err != nil {
		return err
	}
	if n := i.stats.Mailboxes; uint64(n) != rows.Sequence() {
		return i.damage(fmt.Sprintf("there are %d mailboxes of %d", n, rows.Sequence()))
	}
	return nil
}

func (c *checker) row(key, sealed []byte) error {
	k, ok := parseKey(key)
	if !ok {
		return c.inbox.damage(fmt.Sprintf("there is a row %x of an unknown kind", key))
	}
	if k.kind != kindHead && (!c.there || k.id != c.id) {
		return c.inbox.damagedRow(rowKey{id: k.id, kind: kindHead})
	}
	switch k.kind {
	case kindHead:
		return c.begin(k, sealed)
	case kindItem:
		return c.item(key, sealed)
	default:
		return c.answerRow(k, key, sealed)
	}
}

func (c *checker) begin(k rowKey, sealed []byte) error {
	if err := c.end(); err != nil {
		return err
	}
	value, ok := unseal(headKey(k.id), sealed)
	if ok {
		c.head, ok = decodeHead(value)
	}
	if !ok {
		return c.inbox.damagedRow(k)
	}
	c.id, c.there = k.id, true
	c.next, c.waiting, c.bytes, c.answers = c.head.forgotten+1, 0, 0, 0
	c.inbox.stats.Mailboxes++
	c.inbox.stats.Waiting += c.head.waiting
	c.inbox.stats.Bytes += c.head.bytes
	return nil
}

func (c *checker) item(key, sealed []byte) error {
	it, err := c.inbox.readItem(key, sealed)
	if err != nil {
		return err
	}
	// The first may be a note of which the device has a part.
	if it.first() > c.next || it.first() < c.next && c.waiting > 0 || it.number < c.next {
		return c.inbox.damage(fmt.Sprintf("letters %d to %d of the mailbox of device %d for account %d are missing", c.next, it.first()-1, c.id.Device, c.id.Account))
	}
	c.next = it.number + 1
	c.waiting++
	c.bytes += len(it.sealed)
	return nil
}

func (c *checker) answerRow(k rowKey, key, sealed []byte) error {
	if _, err := c.inbox.readAnswers(key, sealed); err != nil {
		return err
	}
	if c.answers != 0 && k.number != c.answers {
		return c.inbox.damagedRow(rowKey{id: k.id, kind: kindAnswers, number: c.answers})
	}
	c.answers = k.number + 1
	return nil
}

// end compares what was read of a mailbox with its head.
func (c *checker) end() error {
	if c.there && (c.next-1 != c.head.last || c.waiting != c.head.waiting || c.bytes != c.head.bytes) {
		return c.inbox.damage(fmt.Sprintf("the mailbox of device %d for account %d has %d letters up to number %d; they should be %d up to %d",
			c.id.Device, c.id.Account, c.waiting, c.next-1, c.head.waiting, c.head.last))
	}
	return nil
}
