package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// What a [MemoryInbox] keeps of one mailbox at most.
const (
	maxLetters     = 1024
	maxLetterBytes = 1 << 20
	keptDigests    = 256
)

// MemoryInbox is an [Inbox] in memory: what is in it is lost with the process.
type MemoryInbox struct {
	mu    sync.Mutex
	boxes map[MailboxID]*memoryBox
}

var _ Inbox = (*MemoryInbox)(nil)

// memoryBox is one mailbox.
type memoryBox struct {
	Mailbox
	letters []Kept
	digests []Digest // of the latest letters, oldest first
	answers []Answer // the latest, oldest first
}

// NewMemoryInbox gives an empty inbox.
func NewMemoryInbox() *MemoryInbox { return &MemoryInbox{boxes: make(map[MailboxID]*memoryBox)} }

// box gives a mailbox, and makes it where there is none. The lock is held.
func (i *MemoryInbox) box(id MailboxID) *memoryBox {
	b := i.boxes[id]
	if b == nil {
		b = &memoryBox{Mailbox: Mailbox{ID: id}}
		i.boxes[id] = b
	}
	return b
}

// Mailbox implements [Inbox].
func (i *MemoryInbox) Mailbox(_ context.Context, id MailboxID) (Mailbox, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if b := i.boxes[id]; b != nil {
		return b.Mailbox, nil
	}
	return Mailbox{}, nil
}

// Mailboxes implements [Inbox], as they stand when it is called.
func (i *MemoryInbox) Mailboxes(context.Context) iter.Seq2[Mailbox, error] {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []Mailbox
	for b := range maps.Values(i.boxes) {
		all = append(all, b.Mailbox)
	}
	slices.SortFunc(all, func(a, b Mailbox) int {
		return cmp.Or(cmp.Compare(a.ID.Device, b.ID.Device), cmp.Compare(a.ID.Account, b.ID.Account))
	})
	return func(yield func(Mailbox, error) bool) {
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// Put implements [Inbox].
func (i *MemoryInbox) Put(_ context.Context, id MailboxID, l Letter) (fresh bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	b := i.box(id)
	if l.Digest != (Digest{}) {
		if slices.Contains(b.digests, l.Digest) {
			return false, nil
		}
		b.digests = latest(append(b.digests, l.Digest), keptDigests)
	}
	b.letters = append(b.letters, Kept{Number: l.Number, Sealed: slices.Clone(l.Sealed)})
	b.Key, b.Last, b.Filled = l.Key, l.Number, l.At
	b.Bytes += len(l.Sealed)
	b.makeRoom(l.Sent)
	b.Waiting = len(b.letters)
	return true, nil
}

// makeRoom has the oldest letters behind sent give way to a note.
func (b *memoryBox) makeRoom(sent uint64) {
	at := slices.IndexFunc(b.letters, func(k Kept) bool { return k.Number > sent })
	for (len(b.letters) > maxLetters || b.Bytes > maxLetterBytes) && at < len(b.letters)-1 {
		first := &b.letters[at]
		if first.Dropped == 0 {
			b.Bytes -= len(first.Sealed)
			*first = Kept{Number: first.Number, Dropped: 1}
			continue
		}
		next := b.letters[at+1]
		b.Bytes -= len(next.Sealed)
		*first = Kept{Number: next.Number, Dropped: first.Dropped + max(next.Dropped, 1)}
		b.letters = slices.Delete(b.letters, at+1, at+2)
	}
}

// Letters implements [Inbox].
func (i *MemoryInbox) Letters(_ context.Context, id MailboxID, from uint64, limit int) ([]Kept, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	b := i.boxes[id]
	if b == nil {
		return nil, nil
	}
	at := b.search(from)
	return slices.Clone(b.letters[at:min(at+limit, len(b.letters))]), nil
}

// search gives where the letters from that number on begin.
func (b *memoryBox) search(number uint64) int {
	at, _ := slices.BinarySearchFunc(b.letters, number, func(k Kept, n uint64) int { return cmp.Compare(k.Number, n) })
	return at
}

// Forget implements [Inbox].
func (i *MemoryInbox) Forget(id MailboxID, number uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	b := i.boxes[id]
	if b == nil {
		return
	}
	for _, k := range b.letters[:b.search(number+1)] {
		b.Bytes -= len(k.Sealed)
	}
	b.letters = slices.Delete(b.letters, 0, b.search(number+1))
	if b.Waiting = len(b.letters); b.Waiting == 0 {
		b.letters = nil
	}
}

// Answer implements [Inbox].
func (i *MemoryInbox) Answer(_ context.Context, id MailboxID, a Answer) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	b := i.box(id)
	b.answers = latest(append(b.answers, a), keptAnswers)
	return nil
}

// latest gives the last n of all.
func latest[T any](all []T, n int) []T { return slices.Delete(all, 0, max(len(all)-n, 0)) }

// Answers implements [Inbox].
func (i *MemoryInbox) Answers(_ context.Context, id MailboxID) ([]Answer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if b := i.boxes[id]; b != nil {
		return slices.Clone(b.answers), nil
	}
	return nil, nil
}

// Drop implements [Inbox].
func (i *MemoryInbox) Drop(_ context.Context, id MailboxID) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.boxes, id)
	return nil
}

// unsealed is the [Sealer] of a broker without one: what waits in memory is
// readable there, and goes to the device as it is.
type unsealed struct{}

// unsealedLetter is the stored form of a message that is not sealed.
type unsealedLetter struct {
	ID   string    `json:"id"`
	From string    `json:"from"`
	Body string    `json:"body"`
	Sent time.Time `json:"sent"`
}

func (unsealed) Seal(_ [keySize]byte, _ uint64, m MessageReceived) ([]byte, error) {
	return json.Marshal(unsealedLetter(m))
}

func (unsealed) open(letter []byte) (MessageReceived, error) {
	var l unsealedLetter
	err := json.Unmarshal(letter, &l)
	return MessageReceived(l), err
}

// letter gives what a device is sent of a letter.
func (b *Broker) letter(k Kept) any {
	plain, ok := b.sealer.(unsealed)
	if !ok {
		return Sealed(k.Sealed)
	}
	m, err := plain.open(k.Sealed)
	if err != nil { // it was kept by a broker with another sealer
		return Dropped{Count: 1}
	}
	return m
}
