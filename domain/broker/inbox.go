package broker

import (
	"context"
	"iter"
	"time"

	"rollcall/domain"
)

// MailboxID names what waits for one device under one account. It outlives the
// sessions that fill it: what a session leaves behind is for the device's next
// one.
type MailboxID struct {
	Device  domain.DeviceID
	Account domain.AccountID
}

// Inbox keeps on disk what upstream has delivered and a device has not yet
// acknowledged, and which of the device's messages have been sent. It is safe
// for concurrent use; the letters of one mailbox are put by one goroutine at a
// time.
//
// A method that cannot write for want of room gives [ErrInboxFull], and has
// changed nothing. After any other error of a write only a restart shows what
// the disk holds.
type Inbox interface {
	// Mailbox gives how a mailbox stands: the zero Mailbox where there is none.
	Mailbox(ctx context.Context, id MailboxID) (Mailbox, error)
	// Mailboxes gives all there are.
	Mailboxes(ctx context.Context) iter.Seq2[Mailbox, error]
	// Put keeps a letter, durably on return. fresh is false, and nothing is
	// kept, where one with that digest was put a short while ago. Where the
	// mailbox is full its oldest letters behind l.Sent give way to a note of
	// how many they were.
	Put(ctx context.Context, id MailboxID, l Letter) (fresh bool, err error)
	// Letters gives up to limit of the letters and notes from number from on,
	// by ascending number.
	Letters(ctx context.Context, id MailboxID, from uint64, limit int) ([]Kept, error)
	// Forget tells that every letter up to the number is safe with the device.
	// It does not wait for the disk: after a crash they may be there again.
	Forget(id MailboxID, number uint64)
	// Answer keeps how a message of the device came out, durably on return: of
	// the latest ones, as many as a device may keep unanswered.
	Answer(ctx context.Context, id MailboxID, a Answer) error
	// Answers gives what Answer has kept, oldest first.
	Answers(ctx context.Context, id MailboxID) ([]Answer, error)
	// Drop removes a mailbox with all that is in it, durably on return.
	Drop(ctx context.Context, id MailboxID) error
}

// Mailbox is how a mailbox stands.
type Mailbox struct {
	ID MailboxID
	// Key is the public key of the device that its letters are sealed for.
	Key [keySize]byte
	// Last is the highest number that was put; zero if none was.
	Last uint64
	// Waiting is how many letters and notes are there, and Bytes their size.
	Waiting int
	Bytes   int
	// Filled is when the latest one was put.
	Filled time.Time
}

// Digest tells whether two messages are the same, as far as one needs to know
// which was delivered, or sent, already.
type Digest [16]byte

// Letter is a message that is put into a mailbox.
type Letter struct {
	// Number is the one of its [Item]: the mailbox's last, and one.
	Number uint64
	// Digest is of what names the message; zero if nothing does.
	Digest Digest
	// Sealed is the message, closed by a [Sealer].
	Sealed []byte
	// Key is the device's public key.
	Key [keySize]byte
	// Sent is the highest number that may be with the device already: letters
	// up to it do not give way.
	Sent uint64
	At   time.Time
}

// Kept is a letter in a mailbox, or the note that stands for some that gave way.
type Kept struct {
	Number uint64
	// Sealed is nil in a note.
	Sealed []byte
	// Dropped is zero in a letter; in a note it is for how many numbers, up to
	// and including Number, it stands.
	Dropped uint64
}

// Answer is how a message of a device came out.
type Answer struct {
	Message Digest
	Refused bool
}

// Sealer closes a message so that only the device with that public key can open
// it: this broker cannot, once it has forgotten the message. It is safe for
// concurrent use.
type Sealer interface {
	Seal(key [keySize]byte, number uint64, m MessageReceived) ([]byte, error)
}
