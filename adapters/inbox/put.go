package inbox

import (
	"context"

	"rollcall/domain/broker"
)

// Put implements [broker.Inbox]. ctx is looked at before the letter is handed to
// the writer, and not after: the answer is never left open.
//
// A number that is not behind the mailbox's last is a *[NumberError], a letter
// that is larger than a mailbox a *[SizeError]; both have changed nothing.
func (i *Inbox) Put(ctx context.Context, id broker.MailboxID, l broker.Letter) (fresh bool, err error) {
	if size := len(l.Sealed); size > i.options.Bytes {
		return false, &SizeError{Size: size, Limit: i.options.Bytes}
	}
	p := &put{id: id, letter: l, row: encodeLetter(l.Sealed)}
	if err := i.submit(ctx, p); err != nil {
		return false, err
	}
	return p.fresh, p.refused
}

type put struct {
	id      broker.MailboxID
	letter  broker.Letter
	row     []byte
	fresh   bool
	refused error
}

func (p *put) need() (int, bool) { return len(p.row) + 4*pageSize, true }

func (p *put) apply(c *change) error {
	p.fresh, p.refused = false, nil
	h, there, err := c.head(p.id)
	if err != nil {
		return err
	}
	somebodyElses := h.last > 0 && h.key != p.letter.Key
	if somebodyElses {
		h = head{}
	}
	if p.knownTo(h) {
		return nil
	}
	if p.refused = p.check(c, &h); p.refused != nil {
		return nil
	}
	if somebodyElses {
		if err := c.drop(p.id); err != nil {
			return err
		}
	}
	if !there || somebodyElses {
		c.mailboxes++
	}
	p.fresh = true
	return p.write(c, &h)
}

// knownTo tells that the letter was put into the mailbox before.
func (p *put) knownTo(h head) bool {
	return p.letter.Digest != (broker.Digest{}) && h.knows(p.letter.Digest)
}

// check tells why the letter cannot be taken.
func (p *put) check(c *change, h *head) error {
	if p.letter.Number <= h.last {
		return &NumberError{Number: p.letter.Number, Last: h.last}
	}
	most := c.inbox.options
	if h.waiting >= 2*most.Letters && p.letter.Sent >= h.last || h.bytes >= 2*most.Bytes && p.letter.Sent >= p.letter.Number {
		return ErrUnacknowledged
	}
	return nil
}

func (p *put) write(c *change, h *head) error {
	if err := c.bridge(p.id, h, p.letter); err != nil {
		return err
	}
	if err := c.put(itemKey(p.id, p.letter.Number), p.row); err != nil {
		return err
	}
	waiting, bytes := h.waiting, h.bytes
	h.waiting++
	h.bytes += len(p.letter.Sealed)
	h.key, h.last, h.filled = p.letter.Key, p.letter.Number, p.letter.At.UnixMilli()
	h.learn(p.letter.Digest)
	if err := c.makeWay(p.id, h, p.letter.Sent); err != nil {
		return err
	}
	c.waiting += h.waiting - waiting
	c.bytes += h.bytes - bytes
	return c.putHead(p.id, h)
}
