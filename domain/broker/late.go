package broker

import (
	"context"
	"errors"
)

// settleLate takes the word of a device on what is safe with it of a session that
// is over, so that it is not sent again in the next one. It counts only while that
// session is the last one that filled the mailbox.
func (b *Broker) settleLate(ctx context.Context, e ending, received uint64) {
	if received == 0 || !b.wasLast(ctx, e) {
		return
	}
	id := MailboxID{Device: e.device, Account: e.account}
	box := b.lockMailbox(id)
	defer b.unlockMailbox(id, box)
	if box.owner != nil && box.owner.id != e.session { // that may be on its way out still
		return
	}
	held, err := b.inbox.Mailbox(context.Background(), id)
	if err != nil {
		_ = b.failInbox("open a mailbox", err)
	}
	if err != nil || received > held.Last {
		return
	}
	b.inbox.Forget(id, received)
	if received == held.Last && box.owner == nil && !b.hasAnswers(id) {
		b.dropMailbox(id)
	}
}

// wasLast tells that the device has had no session under the account since.
func (b *Broker) wasLast(ctx context.Context, e ending) bool {
	var since error
	err := b.seq.look(ctx, func(t *turn) {
		account, ok := t.ledger().Account(e.account)
		seat, seated := t.ledger().SeatOf(e.device, account.Service)
		if !ok || seated && seat.Account == e.account || !t.directory().endedLast(e) {
			since = ErrSessionOver
		}
	})
	return errors.Join(err, since) == nil
}
