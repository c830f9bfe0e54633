package inbox

import (
	"context"

	"rollcall/domain/broker"
)

// Drop implements [broker.Inbox]. Where there is no such mailbox it does nothing.
func (i *Inbox) Drop(ctx context.Context, id broker.MailboxID) error {
	return i.submit(ctx, &drop{id})
}

type drop struct{ id broker.MailboxID }

func (d *drop) need() (int, bool) { return 4 * pageSize, false }

func (d *drop) apply(c *change) error {
	if _, there, err := c.head(d.id); err != nil || !there {
		return err
	}
	return c.drop(d.id)
}

// drop takes away all rows of a mailbox that is there.
func (c *change) drop(id broker.MailboxID) error {
	h, _, err := c.head(id)
	if err != nil {
		return err
	}
	c.mailboxes--
	c.waiting -= h.waiting
	c.bytes -= h.bytes
	return c.deleteAll(c.keysFrom(headKey(id), behind(id)))
}
