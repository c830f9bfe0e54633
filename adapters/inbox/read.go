package inbox

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"

	"go.etcd.io/bbolt"

	"rollcall/domain/broker"
)

// Mailbox implements [broker.Inbox]. What has been forgotten does not count, also
// where that is not written yet.
func (i *Inbox) Mailbox(ctx context.Context, id broker.MailboxID) (m broker.Mailbox, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	forgotten := i.forgotten(id)
	err = i.view(func(tx *bbolt.Tx) error {
		rows := tx.Bucket(bucketRows)
		h, there, err := i.readHead(rows, id)
		if err != nil || !there {
			return err
		}
		m, err = i.mailbox(rows, id, h, forgotten)
		return err
	})
	return m, err
}

// mailbox gives how a mailbox stands when the letters up to a number are forgotten.
func (i *Inbox) mailbox(rows *bbolt.Bucket, id broker.MailboxID, h head, forgotten uint64) (broker.Mailbox, error) {
	m := h.mailbox(id)
	if forgotten <= h.forgotten {
		return m, nil
	}
	end, cursor := itemKey(id, forgotten), rows.Cursor()
	for k, v := cursor.Seek(itemKey(id, 0)); k != nil && bytes.Compare(k, end) <= 0; k, v = cursor.Next() {
		it, err := i.readItem(k, v)
		if err != nil {
			return m, err
		}
		m.Waiting--
		m.Bytes -= len(it.sealed)
	}
	return m, nil
}

// mailboxPage is how many mailboxes are read in one transaction.
const mailboxPage = 256

// Mailboxes implements [broker.Inbox], by device and account. It holds no
// transaction while the caller works: a mailbox that comes or goes meanwhile is
// given or not.
func (i *Inbox) Mailboxes(ctx context.Context) iter.Seq2[broker.Mailbox, error] {
	return func(yield func(broker.Mailbox, error) bool) {
		for from := []byte{}; from != nil; {
			page, next, err := i.mailboxesFrom(ctx, from)
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			if err != nil {
				yield(broker.Mailbox{}, err)
				return
			}
			from = next
		}
	}
}

// mailboxesFrom gives a page of mailboxes, and where the next begins; nil if there
// is none.
func (i *Inbox) mailboxesFrom(ctx context.Context, from []byte) (page []broker.Mailbox, next []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	err = i.view(func(tx *bbolt.Tx) error {
		rows := tx.Bucket(bucketRows)
		cursor := rows.Cursor()
		for k, _ := cursor.Seek(from); k != nil; k, _ = cursor.Seek(next) {
			key, ok := parseKey(k)
			if !ok || key.kind != kindHead {
				return i.damage(fmt.Sprintf("a row %x belongs to no mailbox", k))
			}
			h, _, err := i.readHead(rows, key.id)
			if err != nil {
				return err
			}
			m, err := i.mailbox(rows, key.id, h, i.forgotten(key.id))
			if err != nil {
				return err
			}
			page = append(page, m)
			if next = behind(key.id); next == nil || len(page) == mailboxPage {
				return nil
			}
		}
		next = nil
		return nil
	})
	return page, next, err
}

// Letters implements [broker.Inbox]. What has been forgotten is not given, also
// where that is not written yet.
func (i *Inbox) Letters(ctx context.Context, id broker.MailboxID, from uint64, limit int) (kept []broker.Kept, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if forgotten := i.forgotten(id); forgotten == math.MaxUint64 {
		return nil, nil
	} else {
		from = max(from, forgotten+1)
	}
	err = i.view(func(tx *bbolt.Tx) error {
		end, cursor := answersKey(id, 0), tx.Bucket(bucketRows).Cursor()
		for k, v := cursor.Seek(itemKey(id, from)); len(kept) < limit && k != nil && bytes.Compare(k, end) < 0; k, v = cursor.Next() {
			it, err := i.readItem(k, v)
			if err != nil {
				return err
			}
			kept = append(kept, it.kept())
		}
		return nil
	})
	return kept, err
}

// readItem takes the row of a letter or a note apart.
func (i *Inbox) readItem(key, sealed []byte) (item, error) {
	k, ok := parseKey(key)
	value, whole := unseal(key, sealed)
	if ok && whole && k.kind == kindItem {
		if it, ok := decodeItem(k.number, value); ok {
			return it, nil
		}
	}
	return item{}, i.damagedRow(k)
}

// readAnswers takes a row of answers apart.
func (i *Inbox) readAnswers(key, sealed []byte) ([]broker.Answer, error) {
	k, ok := parseKey(key)
	value, whole := unseal(key, sealed)
	if ok && whole && k.kind == kindAnswers {
		if answers, ok := decodeAnswers(value); ok {
			return answers, nil
		}
	}
	return nil, i.damagedRow(k)
}

func (i *Inbox) damagedRow(k rowKey) error {
	what := map[kind]string{kindHead: "the head", kindItem: fmt.Sprintf("letter %d", k.number), kindAnswers: "the answers"}[k.kind]
	return i.damage(fmt.Sprintf("%s of the mailbox of device %d for account %d cannot be read", what, k.id.Device, k.id.Account))
}
