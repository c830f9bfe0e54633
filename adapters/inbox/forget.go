package inbox

import (
	"bytes"

	"rollcall/domain/broker"
)

// forget takes away what is safe with the device.
type forget struct {
	id     broker.MailboxID
	number uint64
}

func (f *forget) need() (int, bool) { return 3 * pageSize, false }

func (f *forget) apply(c *change) error {
	h, there, err := c.head(f.id)
	number := min(f.number, h.last)
	if err != nil || !there || number <= h.forgotten {
		return err
	}
	keys, size, err := c.lettersUpTo(f.id, number)
	if err != nil {
		return err
	}
	if err := c.deleteAll(keys); err != nil {
		return err
	}
	h.forgotten = number
	h.waiting -= len(keys)
	h.bytes -= size
	c.waiting -= len(keys)
	c.bytes -= size
	return c.putHead(f.id, &h)
}

// lettersUpTo gives the keys of the letters and notes up to a number, and the
// size of the letters.
func (c *change) lettersUpTo(id broker.MailboxID, number uint64) (keys [][]byte, size int, err error) {
	end := itemKey(id, number)
	cursor := c.rows.Cursor()
	for k, v := cursor.Seek(itemKey(id, 0)); k != nil && bytes.Compare(k, end) <= 0; k, v = cursor.Next() {
		it, err := c.inbox.readItem(k, v)
		if err != nil {
			return nil, 0, err
		}
		keys = append(keys, bytes.Clone(k))
		size += len(it.sealed)
	}
	return keys, size, nil
}
