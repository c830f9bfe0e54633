package broker

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"

	"rollcall/domain"
)

// mailbox is one device's mailbox under one account, as this process has it in
// hand. At most one session puts letters into it, the latest: one that it has
// superseded may still be on its way out.
type mailbox struct {
	mu    sync.Mutex // held while a letter is put, and while the mailbox changes hands
	owner *session   // nil where nobody fills it
	gone  bool       // no longer the one in the broker's table
}

// lockMailbox gives the one mailbox of that name, locked.
func (b *Broker) lockMailbox(id MailboxID) *mailbox {
	for {
		b.mu.Lock()
		box := b.mailboxes[id]
		if box == nil {
			box = new(mailbox)
			b.mailboxes[id] = box
		}
		b.mu.Unlock()
		box.mu.Lock()
		if !box.gone {
			return box
		}
		box.mu.Unlock()
	}
}

// unlockMailbox ends what lockMailbox began. One that nobody fills is forgotten.
func (b *Broker) unlockMailbox(id MailboxID, box *mailbox) {
	if box.owner == nil && !box.gone {
		box.gone = true
		b.mu.Lock()
		delete(b.mailboxes, id)
		b.mu.Unlock()
	}
	box.mu.Unlock()
}

func (s *session) mailboxID() MailboxID { return MailboxID{Device: s.device, Account: s.account} }

// mailbox gives the mailbox that the session fills, or filled; nil before that.
func (s *session) mailbox() *mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.box
}

// openMailbox makes the mailbox the session's, and takes over what is in it.
// received is the highest number that the device says is safe with it.
func (s *session) openMailbox(ctx context.Context, received uint64) error {
	if err := s.awaitAnswers(ctx); err != nil {
		return err
	}
	box := s.b.lockMailbox(s.mailboxID())
	defer s.b.unlockMailbox(s.mailboxID(), box)
	return s.takeMailbox(box, received)
}

// awaitAnswers waits until the session that this one supersedes keeps no more answers
// in the mailbox: the device may ask for them here. What it sends there is cut short,
// as the end of that session does too, which is on its way.
func (s *session) awaitAnswers(ctx context.Context) error {
	box := s.b.lockMailbox(s.mailboxID())
	before := box.owner
	s.b.unlockMailbox(s.mailboxID(), box)
	if before == nil || before.id >= s.id {
		return nil
	}
	before.call.giveUp()
	before.call.wait(ctx, s.b.seq.failed)
	return ctx.Err()
}

// holdMailbox makes the mailbox the session's unless it is already.
func (s *session) holdMailbox() error {
	box := s.b.lockMailbox(s.mailboxID())
	defer s.b.unlockMailbox(s.mailboxID(), box)
	if s.mailbox() == box && box.owner == s {
		return nil
	}
	return s.takeMailbox(box, 0)
}

// takeMailbox is openMailbox with the mailbox locked.
func (s *session) takeMailbox(box *mailbox, received uint64) error {
	id, before := s.mailboxID(), box.owner
	if before != nil && before.id > s.id { // this one is superseded, and about to hear of it
		return domain.ErrUnknownSession
	}
	if before != nil && before != s {
		before.yieldMailbox()
	}
	held, err := s.b.inbox.Mailbox(context.Background(), id)
	if err == nil && held.Key != s.key && held.Key != [keySize]byte{} {
		err = s.b.inbox.Drop(context.Background(), id) // nobody can open what is in it
		held = Mailbox{}
	}
	var first uint64
	if err == nil && held.Waiting > 0 {
		first, err = s.b.firstWaiting(id)
	}
	if err != nil {
		return s.b.failInbox("open a mailbox", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return domain.ErrUnknownSession
	}
	box.owner = s
	s.box, s.kept = box, held != Mailbox{}
	s.outbox.take(held, first, received)
	if received > 0 {
		s.b.inbox.Forget(id, s.outbox.acked)
	}
	return nil
}

// yieldMailbox has a session that is superseded forget no more letters: its next
// one is about to count them.
func (s *session) yieldMailbox() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.yielded = true
}

// forget tells the inbox what is safe with the device. The lock is held.
func (s *session) forget() {
	if !s.yielded {
		s.b.inbox.Forget(s.mailboxID(), s.outbox.acked)
	}
}

// firstWaiting gives the first number that a letter or a note in the mailbox
// stands for.
func (b *Broker) firstWaiting(id MailboxID) (uint64, error) {
	letters, err := b.inbox.Letters(context.Background(), id, 0, 1)
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	return letters[0].Number - max(letters[0].Dropped, 1) + 1, nil
}

// lasting tells that what waits in a mailbox is for nobody any more after a
// session that ended so.
func lasting(cause domain.EndCause) bool {
	return cause != domain.EndDeviceRevoked && cause != domain.EndPersonBarred && cause != domain.EndServiceRemoved
}

// leaveMailbox lets go of the mailbox, after the last letter was put. What waits
// in it stays for the device's next session, if it is to have one, and so do the
// answers to its messages: those that it did not hear it asks for again there,
// also where it has logged out, unless it said then that it has heard them all.
func (s *session) leaveMailbox(cause domain.EndCause) {
	box := s.mailbox()
	if box == nil {
		return
	}
	id := s.mailboxID()
	box.mu.Lock()
	defer s.b.unlockMailbox(id, box)
	if box.owner != s {
		return
	}
	box.owner = nil
	s.mu.Lock()
	kept, empty, answered := s.kept, s.outbox.acked >= s.outbox.last, cause == domain.EndLogout && s.answered
	s.mu.Unlock()
	if kept && (!lasting(cause) || empty && (answered || !s.b.hasAnswers(id))) {
		s.b.dropMailbox(id)
	}
}

func (b *Broker) hasAnswers(id MailboxID) bool {
	answers, err := b.inbox.Answers(context.Background(), id)
	if err != nil {
		_ = b.failInbox("read answers", err)
	}
	return err != nil || len(answers) > 0
}

// dropMailbox removes a mailbox. Where there is no room for that, a later sweep
// does it.
func (b *Broker) dropMailbox(id MailboxID) {
	if err := b.inbox.Drop(context.Background(), id); err != nil && !errors.Is(err, ErrInboxFull) {
		_ = b.failInbox("drop a mailbox", err)
	}
}

// failInbox stops the broker for good after an error of the inbox: only a restart
// shows what the disk holds.
func (b *Broker) failInbox(doing string, err error) error {
	err = fmt.Errorf("inbox: %s: %w", doing, err)
	b.seq.fail(err)
	return err
}

// maxLetterText is the longest text of a message: no device can be sent more.
const maxLetterText = 240 << 10

// keep puts a message into the mailbox. On return it is durable, or was already;
// false where the session is over, and the message is upstream's still.
func (s *session) keep(m MessageReceived) bool {
	for {
		kept, err := s.keepNow(m)
		if err == nil || !s.awaitRoom() {
			return kept
		}
	}
}

// keepNow is keep without waiting: where there is no room it gives [ErrInboxFull].
func (s *session) keepNow(m MessageReceived) (kept bool, err error) {
	if len(m.Body) > maxLetterText {
		m.Body = strings.ToValidUTF8(m.Body[:maxLetterText], "") + "…"
	}
	fresh, letter, err := s.put(m)
	switch {
	case errors.Is(err, ErrInboxFull):
		s.b.missRoom()
		return false, err
	case err != nil:
		return false, nil
	case !fresh:
		s.b.counters.duplicates.Add(1)
		return true, nil
	}
	s.b.counters.letters.Add(1)
	s.b.foundRoom()
	s.handOn(letter, m)
	return true, nil
}

// put tries once. Every error but ErrInboxFull means that the session, or the
// broker, is over.
func (s *session) put(m MessageReceived) (fresh bool, number uint64, err error) {
	box := s.mailbox()
	box.mu.Lock()
	defer box.mu.Unlock()
	if box.owner != s {
		return false, 0, ErrSessionOver
	}
	s.mu.Lock()
	number, sent, over := s.outbox.last+1, s.outbox.sent, s.over
	s.mu.Unlock()
	if over {
		return false, 0, ErrSessionOver
	}
	sealed, err := s.b.sealer.Seal(s.key, number, m)
	if err != nil {
		s.b.ending.Go(func() { s.unsealable(err) })
		return false, 0, err
	}
	fresh, err = s.b.inbox.Put(context.Background(), s.mailboxID(), Letter{
		Number: number, Digest: digestOf(m), Sealed: sealed, Key: s.key, Sent: sent, At: s.b.clock.Now(),
	})
	if err != nil && !errors.Is(err, ErrInboxFull) {
		return false, 0, s.b.failInbox("put a letter", err)
	}
	if fresh {
		s.mu.Lock()
		s.kept, s.outbox.last = true, number
		s.mu.Unlock()
	}
	return fresh, number, err
}

// handOn sees to it that a letter which was put goes to the device. m is what it
// says.
func (s *session) handOn(number uint64, m MessageReceived) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		s.outbox.note(Item{Number: number, Body: m})
	}
	s.kick()
}

// unsealable ends a session whose device cannot be sent what came for it. The
// message stays upstream's.
func (s *session) unsealable(cause error) {
	s.b.logger.Error("a message cannot be sealed for its device, and the session ends", "session", s.id, "device", s.device, "error", cause)
	err := s.finish(context.Background(), domain.EndUpstreamClosed, "a message could not be sealed for the device")
	if err != nil && !errors.Is(err, domain.ErrUnknownSession) {
		s.b.logger.Warn("cannot record the end of a session", "session", s.id, "error", err)
	}
}

// awaitRoom lets a while pass after the inbox was found full, in which upstream
// keeps what it has. It gives false once the session is over.
func (s *session) awaitRoom() bool {
	tick := make(chan struct{})
	defer s.b.clock.AfterFunc(roomEvery, func() { close(tick) })()
	select {
	case <-tick:
	case <-s.b.seq.failed:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.over
}

func (b *Broker) missRoom() {
	if b.inboxFull.CompareAndSwap(false, true) {
		b.logger.Error("the disk is full: what comes for devices waits upstream, or is refused to its sender, until there is room; free space on the disk of the data folder, a restart is not needed")
	}
}

func (b *Broker) foundRoom() {
	if b.inboxFull.CompareAndSwap(true, false) {
		b.logger.Info("there is room for messages again, and they go on")
	}
}

// digestOf tells whether two messages are one that upstream delivered twice. The
// text counts: there are clients that use the same short names over and over.
func digestOf(m MessageReceived) Digest {
	if m.ID == "" {
		return Digest{}
	}
	return digestParts(m.From, m.ID, m.Body)
}

func digestParts(parts ...string) Digest {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p)))) // a hash does not fail
		_, _ = h.Write([]byte(p))
	}
	return Digest(h.Sum(nil)[:len(Digest{})])
}
