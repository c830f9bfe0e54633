package broker

import (
	"context"
	"errors"
	"slices"
	"time"
)

// keptFor is how long letters wait for a device that does not come for them.
const keptFor = 30 * 24 * time.Hour

// sweepEvery is how often the inbox is looked through.
const sweepEvery = 24 * time.Hour

// judgedAtOnce is how many mailboxes the sequencer looks at in one turn.
const judgedAtOnce = 512

// verdict is what becomes of a mailbox in a sweep.
type verdict uint8

const (
	keepIt        verdict = iota
	dropIdle              // for it has been empty for a day
	dropOld               // for nobody came for it
	dropForbidden         // whoever has it in hand
)

// sweepDaily looks through the inbox now and once a day. The broker's lock is
// held.
func (b *Broker) sweepDaily() {
	b.sweepSoon()
	b.unsweep = b.clock.AfterFunc(sweepEvery, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.open {
			b.sweepDaily()
		}
	})
}

// sweepSoon looks through the inbox without being waited for.
func (b *Broker) sweepSoon() {
	if b.sweepDue.Swap(true) {
		return
	}
	b.ending.Go(func() {
		err := b.sweep(context.Background())
		if err != nil && !errors.Is(err, ErrStopped) && !errors.Is(err, ErrInboxFull) {
			b.logger.Warn("cannot look through the inbox", "error", err)
		}
	})
}

// sweep removes the mailboxes that are of no use: of devices and accounts that
// are no more, of sessions that left nothing, and those that nobody came for.
func (b *Broker) sweep(ctx context.Context) error {
	b.sweeping.Lock()
	defer b.sweeping.Unlock()
	b.sweepDue.Store(false)
	ctx = context.WithoutCancel(ctx) // an error of the inbox shall be one
	var all []Mailbox
	for m, err := range b.inbox.Mailboxes(ctx) {
		if err != nil {
			return b.failInbox("look through it", err)
		}
		all = append(all, m)
	}
	dropped, idle := map[verdict]int{}, make(map[MailboxID]idleMailbox)
	for some := range slices.Chunk(all, judgedAtOnce) {
		verdicts := make([]verdict, len(some))
		if err := b.seq.look(ctx, func(t *turn) { t.judgeAll(some, verdicts) }); err != nil {
			return err
		}
		for i, m := range some {
			if verdicts[i] == dropIdle && !b.idleForLong(m, idle) {
				continue
			}
			if err := b.sweepOut(ctx, m, verdicts[i]); err != nil {
				return err
			}
			if m.Waiting > 0 {
				dropped[verdicts[i]]++
			}
		}
	}
	b.idle = idle
	if dropped[dropOld]+dropped[dropForbidden] > 0 {
		b.logger.Info("messages were removed that waited for devices", "mailboxes not called for", dropped[dropOld], "mailboxes of who may not log in any more", dropped[dropForbidden])
	}
	return nil
}

// idleMailbox is one that nothing waits in, and since when it was seen like that.
type idleMailbox struct {
	as    Mailbox
	since time.Time
}

// idleForLong tells that a mailbox may go that nothing waits in: the answers in it
// may still be asked for, by a device that logs in anew. It notes in now those that
// stay. sweeping is held.
func (b *Broker) idleForLong(m Mailbox, now map[MailboxID]idleMailbox) bool {
	seen := b.idle[m.ID]
	if seen.as != m {
		seen = idleMailbox{m, b.clock.Now()}
	}
	now[m.ID] = seen
	return b.clock.Now().Sub(seen.since) >= sweepEvery
}

func (t *turn) judgeAll(all []Mailbox, verdicts []verdict) {
	for i, m := range all {
		verdicts[i] = t.judge(m)
	}
}

func (t *turn) judge(m Mailbox) verdict {
	device, known := t.ledger().Device(m.ID.Device)
	account, permitted := t.ledger().Account(m.ID.Account)
	if !known || device.Revoked || !permitted {
		return dropForbidden
	}
	if key := t.directory().key(device.ID); m.Key != key && m.Key != [keySize]byte{} {
		return dropForbidden
	}
	if seat, ok := t.ledger().SeatOf(device.ID, account.Service); ok && seat.Account == account.ID {
		return keepIt
	}
	switch {
	case m.Waiting == 0:
		return dropIdle
	case t.now.Sub(m.Filled) >= keptFor:
		return dropOld
	}
	return keepIt
}

// sweepOut does what was judged, unless a session has taken the mailbox in hand
// meanwhile.
func (b *Broker) sweepOut(ctx context.Context, m Mailbox, v verdict) error {
	if v == keepIt {
		return nil
	}
	box := b.lockMailbox(m.ID)
	defer b.unlockMailbox(m.ID, box)
	if v != dropForbidden {
		held, err := b.inbox.Mailbox(ctx, m.ID)
		if err != nil || box.owner != nil || held != m {
			return err
		}
	}
	box.owner = nil
	err := b.inbox.Drop(ctx, m.ID)
	if err != nil && !errors.Is(err, ErrInboxFull) {
		return b.failInbox("drop a mailbox", err)
	}
	return err
}
