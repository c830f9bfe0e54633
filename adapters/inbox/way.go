package inbox

import (
	"bytes"
	"encoding/binary"

	"rollcall/domain/broker"
)

// bridge stands for the numbers between the last one and the letter's, which the
// device knows of and the file does not. Where nothing waits they count as
// forgotten; else a note stands for them.
func (c *change) bridge(id broker.MailboxID, h *head, l broker.Letter) error {
	gap := l.Number - h.last - 1
	switch {
	case gap == 0:
		return nil
	case h.waiting == 0:
		h.forgotten = l.Number - 1
		return nil
	}
	last, err := c.item(id, h.last)
	if err != nil {
		return err
	}
	if last.isNote() && last.number > l.Sent {
		gap += last.dropped
		h.waiting--
		c.waiting--
		if err := c.delete(itemKey(id, last.number)); err != nil {
			return err
		}
	}
	h.waiting++
	c.waiting++
	return c.put(itemKey(id, l.Number-1), encodeNote(gap))
}

// item reads one row of a mailbox.
func (c *change) item(id broker.MailboxID, number uint64) (item, error) {
	key := itemKey(id, number)
	return c.inbox.readItem(key, c.rows.Get(key))
}

// makeWay lets the oldest letters behind sent give way to a note, until the mailbox
// keeps to its limits. A note behind sent that stands beside them grows.
func (c *change) makeWay(id broker.MailboxID, h *head, sent uint64) error {
	if c.fits(h.waiting, h.bytes) || sent >= h.last {
		return nil
	}
	var (
		gone    [][]byte
		note    broker.Kept
		letters uint64
		size    = h.bytes
		end     = answersKey(id, 0)
		cursor  = c.rows.Cursor()
	)
	for k, v := cursor.Seek(itemKey(id, sent+1)); k != nil && bytes.Compare(k, end) < 0; k, v = cursor.Next() {
		it, err := c.inbox.readItem(k, v)
		if err != nil {
			return err
		}
		if !it.isNote() {
			if c.fits(h.waiting-max(len(gone)-1, 0), size) {
				break
			}
			size -= len(it.sealed)
			letters++
		}
		gone = append(gone, bytes.Clone(k))
		note.Number = it.number
		note.Dropped += it.number - it.first() + 1
	}
	if letters == 0 && len(gone) < 2 {
		return nil // nothing would be won
	}
	h.waiting -= len(gone) - 1
	h.bytes = size
	c.dropped += letters
	last := gone[len(gone)-1]
	if err := c.deleteAll(gone[:len(gone)-1]); err != nil {
		return err
	}
	return c.put(last, encodeNote(note.Dropped))
}

func (c *change) fits(waiting, bytes int) bool {
	return waiting <= c.inbox.options.Letters && bytes <= c.inbox.options.Bytes
}

// keyNumber gives the number that a key of letters or answers ends with.
func keyNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key[headKeySize:]) }
