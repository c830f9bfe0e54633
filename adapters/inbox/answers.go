package inbox

import (
	"bytes"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"rollcall/domain/broker"
)

const (
	// keptAnswers is how many answers a mailbox keeps: as many as a device may
	// keep unanswered.
	keptAnswers = 1024

	answersPerRow = 64
	answerRows    = keptAnswers/answersPerRow + 1 // one of them not full
	answerSize    = digestSize + 1
)

// Answer implements [broker.Inbox].
func (i *Inbox) Answer(ctx context.Context, id broker.MailboxID, a broker.Answer) error {
	return i.submit(ctx, &answer{id, a})
}

// Answers implements [broker.Inbox].
func (i *Inbox) Answers(ctx context.Context, id broker.MailboxID) (answers []broker.Answer, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = i.view(func(tx *bbolt.Tx) error {
		end, cursor := behind(id), tx.Bucket(bucketRows).Cursor()
		for k, v := cursor.Seek(answersKey(id, 0)); k != nil && (end == nil || bytes.Compare(k, end) < 0); k, v = cursor.Next() {
			row, err := i.readAnswers(k, v)
			if err != nil {
				return err
			}
			answers = append(answers, row...)
		}
		return nil
	})
	return answers[max(0, len(answers)-keptAnswers):], err
}

type answer struct {
	id     broker.MailboxID
	answer broker.Answer
}

func (a *answer) need() (int, bool) { return 3 * pageSize, false }

// apply adds the answer to the latest row, or begins one and takes away the oldest.
func (a *answer) apply(c *change) error {
	_, there, err := c.head(a.id)
	if err != nil {
		return err
	}
	number, row, err := c.latestAnswers(a.id)
	if err != nil {
		return err
	}
	if !there {
		c.mailboxes++
		if err := c.putHead(a.id, &head{}); err != nil {
			return err
		}
	}
	if len(row) == answersPerRow {
		number, row = number+1, nil
		if number >= answerRows {
			if err := c.delete(answersKey(a.id, number-answerRows)); err != nil {
				return err
			}
		}
	}
	return c.put(answersKey(a.id, number), encodeAnswers(append(row, a.answer)))
}

// latestAnswers gives the latest row of answers and its number; none and zero if
// there is none.
func (c *change) latestAnswers(id broker.MailboxID) (number uint64, row []broker.Answer, err error) {
	cursor := c.rows.Cursor()
	end := behind(id)
	k, v := cursor.Last()
	if end != nil {
		if at, _ := cursor.Seek(end); at != nil {
			k, v = cursor.Prev()
		}
	}
	if k == nil || bytes.Compare(k, answersKey(id, 0)) < 0 {
		return 0, nil, nil
	}
	row, err = c.inbox.readAnswers(k, v)
	return keyNumber(k), row, err
}

// A row of answers, each
//
//	 0  message   16   the digest
//	16  refused    1   0 or 1
func encodeAnswers(answers []broker.Answer) []byte {
	b := make([]byte, 0, len(answers)*answerSize+sumSize)
	for _, a := range answers {
		b = append(b, a.Message[:]...)
		if a.Refused {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return b
}

// decodeAnswers takes a row of answers apart; false if it is none.
func decodeAnswers(b []byte) (answers []broker.Answer, ok bool) {
	if len(b) == 0 || len(b)%answerSize != 0 || len(b) > answersPerRow*answerSize {
		return nil, false
	}
	answers = make([]broker.Answer, 0, len(b)/answerSize+1)
	for one := range slices.Chunk(b, answerSize) {
		if one[digestSize] > 1 {
			return nil, false
		}
		answers = append(answers, broker.Answer{Message: broker.Digest(one), Refused: one[digestSize] == 1})
	}
	return answers, true
}
