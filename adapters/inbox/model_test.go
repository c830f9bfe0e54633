package inbox_test

import (
	"bytes"
	order "cmp"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/adapters/inbox"
	"rollcall/domain/broker"
)

// modelBox is a mailbox written down as plainly as can be.
type modelBox struct {
	key       [32]byte
	last      uint64
	forgotten uint64 // as asked for
	durable   uint64 // of that, what the last commit has taken along
	items     []broker.Kept
	digests   []broker.Digest
	answers   []broker.Answer
}

const modelLetters, modelBytes = 5, 40

func (b *modelBox) bytes() (n int) {
	for _, k := range b.items {
		n += len(k.Sealed)
	}
	return n
}

func (b *modelBox) over() bool { return len(b.items) > modelLetters || b.bytes() > modelBytes }

// commit takes away what is forgotten.
func (b *modelBox) commit() {
	b.durable = b.forgotten
	b.items = b.left(b.forgotten)
}

func (b *modelBox) left(forgotten uint64) []broker.Kept {
	i := slices.IndexFunc(b.items, func(k broker.Kept) bool { return k.Number > forgotten })
	if i < 0 {
		return nil
	}
	return slices.Clone(b.items[i:])
}

// put gives whether the letter is fresh, and what kind of error is due.
func (b *modelBox) put(l broker.Letter) (fresh bool, problem any) {
	if b.last > 0 && b.key != l.Key {
		old := *b
		*b = modelBox{}
		if fresh, problem = b.put(l); !fresh {
			*b = old
		}
		return fresh, problem
	}
	switch {
	case l.Digest != broker.Digest{} && slices.Contains(b.digests[max(0, len(b.digests)-128):], l.Digest):
		return false, nil
	case l.Number <= b.last:
		return false, new(*inbox.NumberError)
	case len(b.items) >= 2*modelLetters && l.Sent >= b.last || b.bytes() >= 2*modelBytes && l.Sent >= l.Number:
		return false, inbox.ErrUnacknowledged
	}
	if gap := l.Number - b.last - 1; gap > 0 && len(b.items) == 0 {
		b.forgotten, b.durable = l.Number-1, l.Number-1
	} else if gap > 0 {
		b.items = append(b.items, note(l.Number-1, gap))
		b.mergeAt(len(b.items)-2, l.Sent)
	}
	b.items = append(b.items, broker.Kept{Number: l.Number, Sealed: l.Sealed})
	b.key, b.last = l.Key, l.Number
	if l.Digest != (broker.Digest{}) {
		b.digests = append(b.digests, l.Digest)
	}
	for b.over() && b.giveWay(l.Sent) {
	}
	return true, nil
}

// giveWay makes one letter less, or one note; false if nothing can give way.
func (b *modelBox) giveWay(sent uint64) bool {
	i := slices.IndexFunc(b.items, func(k broker.Kept) bool { return k.Number > sent })
	if i < 0 || b.mergeAt(i, sent) {
		return i >= 0
	}
	if b.items[i].Dropped > 0 {
		i++
	}
	if i == len(b.items) {
		return false
	}
	b.items[i] = note(b.items[i].Number, 1)
	b.mergeAt(i, sent)
	b.mergeAt(i-1, sent)
	return true
}

// mergeAt makes one note of two that stand at i and behind it, if they are two,
// and neither is with the device.
func (b *modelBox) mergeAt(i int, sent uint64) bool {
	if i < 0 || i+1 >= len(b.items) || b.items[i].Number <= sent || b.items[i].Dropped == 0 || b.items[i+1].Dropped == 0 {
		return false
	}
	b.items[i+1].Dropped += b.items[i].Dropped
	b.items = slices.Delete(b.items, i, i+1)
	return true
}

// machine drives an inbox and the model side by side.
type machine struct {
	t     *testing.T
	dir   string
	inbox *inbox.Inbox
	boxes map[broker.MailboxID]*modelBox
	shown map[broker.MailboxID]uint64 // what Letters has given
}

func (m *machine) open(rt *rapid.T) {
	i, err := inbox.Open(filepath.Join(m.dir, inbox.FileName), log1, inbox.Unsynced(inbox.Options{Letters: modelLetters, Bytes: modelBytes}))
	if err != nil {
		rt.Fatal(err)
	}
	m.inbox = i
}

func (m *machine) close(rt *rapid.T) {
	if err := m.inbox.Close(); err != nil {
		rt.Fatal(err)
	}
}

func (m *machine) id(rt *rapid.T) broker.MailboxID {
	const last = 1<<64 - 1
	return rapid.SampledFrom([]broker.MailboxID{{}, {Device: 1, Account: last}, {Device: 2}, {Device: last, Account: last}}).Draw(rt, "id")
}

// committed tells the model that something was written, and what was forgotten
// with it.
func (m *machine) committed() {
	for _, b := range m.boxes {
		b.commit()
	}
}

func (m *machine) box(id broker.MailboxID) *modelBox {
	if b := m.boxes[id]; b != nil {
		return b
	}
	return new(modelBox)
}

func (m *machine) Put(rt *rapid.T) {
	id := m.id(rt)
	b := m.box(id)
	l := broker.Letter{
		Number: b.last + rapid.SampledFrom([]uint64{1, 1, 1, 1, 1, 1, 1, 0, 2, 5, ^uint64(0)}).Draw(rt, "step"),
		Digest: broker.Digest{5: rapid.Byte().Draw(rt, "digest")},
		Sealed: rapid.SliceOfN(rapid.Byte(), 0, modelBytes+1).Draw(rt, "sealed"),
		Key:    [32]byte{rapid.SampledFrom([]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}).Draw(rt, "key")},
		Sent:   rapid.SampledFrom([]uint64{m.shown[id], m.shown[id], 0, b.last, b.last + 1, 1<<64 - 1}).Draw(rt, "sent"),
		At:     start,
	}
	if b.last > 1<<63 && l.Number > b.last { // there are not many numbers left
		l.Number = b.last + 1
	}
	fresh, err := m.inbox.Put(m.t.Context(), id, l)
	if len(l.Sealed) > modelBytes {
		if !errors.As(err, new(*inbox.SizeError)) {
			rt.Fatalf("Put of %d bytes = %v", len(l.Sealed), err)
		}
		return
	}
	m.committed()
	want, problem := b.put(l)
	if fresh != want || !isProblem(err, problem) {
		rt.Fatalf("Put(%v, %d) = %v, %v; want %v, %v", id, l.Number, fresh, err, want, problem)
	}
	if fresh {
		m.boxes[id] = b
	}
}

func isProblem(err error, problem any) bool {
	switch p := problem.(type) {
	case nil:
		return err == nil
	case error:
		return errors.Is(err, p)
	}
	return errors.As(err, problem)
}

func (m *machine) Forget(rt *rapid.T) {
	id := m.id(rt)
	b := m.box(id)
	number := rapid.SampledFrom([]uint64{m.shown[id], m.shown[id] / 2, b.last, b.last + 3, 1<<64 - 1}).Draw(rt, "number")
	m.inbox.Forget(id, number)
	b.forgotten = max(b.forgotten, min(number, b.last))
}

func (m *machine) Answer(rt *rapid.T) {
	id := m.id(rt)
	m.committed()
	b := m.box(id)
	m.boxes[id] = b
	for range rapid.SampledFrom([]int{1, 1, 1, 70}).Draw(rt, "answers") {
		a := broker.Answer{Message: broker.Digest{3: byte(len(b.answers)), 4: byte(len(b.answers) >> 8)}, Refused: rapid.Bool().Draw(rt, "refused")}
		if err := m.inbox.Answer(m.t.Context(), id, a); err != nil {
			rt.Fatal(err)
		}
		b.answers = append(b.answers, a)
	}
}

func (m *machine) Drop(rt *rapid.T) {
	id := m.id(rt)
	m.committed()
	if err := m.inbox.Drop(m.t.Context(), id); err != nil {
		rt.Fatal(err)
	}
	delete(m.boxes, id)
	delete(m.shown, id)
}

func (m *machine) Letters(rt *rapid.T) {
	id := m.id(rt)
	b := m.box(id)
	from := rapid.Uint64Range(0, b.last+1).Draw(rt, "from")
	limit := rapid.IntRange(0, modelLetters).Draw(rt, "limit")
	got, err := m.inbox.Letters(m.t.Context(), id, from, limit)
	if err != nil {
		rt.Fatal(err)
	}
	want := slices.DeleteFunc(b.left(b.forgotten), func(k broker.Kept) bool { return k.Number < from })
	want = want[:min(limit, len(want))]
	if !sameLetters(want, got) {
		rt.Fatalf("Letters(%v, %d, %d) (-want +got):\n%s", id, from, limit, cmp.Diff(want, got))
	}
	if len(got) > 0 {
		m.shown[id] = max(m.shown[id], got[len(got)-1].Number)
	}
}

func sameLetters(a, b []broker.Kept) bool {
	return slices.EqualFunc(a, b, func(a, b broker.Kept) bool {
		return a.Number == b.Number && a.Dropped == b.Dropped && bytes.Equal(a.Sealed, b.Sealed) && (b.Sealed == nil) == (b.Dropped > 0)
	})
}

func (m *machine) Reopen(rt *rapid.T) {
	m.close(rt)
	m.open(rt)
	m.committed()
}

// Crash goes on with a copy of the file as it is. What was forgotten since the last
// commit may be there again.
func (m *machine) Crash(rt *rapid.T) {
	b, err := os.ReadFile(filepath.Join(m.dir, inbox.FileName))
	if err != nil {
		rt.Fatal(err)
	}
	m.close(rt)
	if err := os.WriteFile(filepath.Join(m.dir, inbox.FileName), b, 0o600); err != nil {
		rt.Fatal(err)
	}
	m.open(rt)
	for id, b := range m.boxes {
		got, err := m.inbox.Letters(m.t.Context(), id, 0, 100)
		if err != nil {
			rt.Fatal(err)
		}
		if sameLetters(b.left(b.durable), got) {
			b.forgotten = b.durable
		}
	}
}

// Check compares all there is.
func (m *machine) Check(rt *rapid.T) {
	byID := func(a, b broker.MailboxID) int {
		return order.Or(order.Compare(a.Device, b.Device), order.Compare(a.Account, b.Account))
	}
	ids := slices.SortedFunc(maps.Keys(m.boxes), byID)
	var stats inbox.Stats
	for got, err := range m.inbox.Mailboxes(m.t.Context()) {
		if err != nil {
			rt.Fatal(err)
		}
		if len(ids) == 0 {
			rt.Fatalf("there is a mailbox %v too many", got.ID)
		}
		m.checkBox(rt, ids[0], got)
		stats.Mailboxes++
		stats.Waiting += len(m.boxes[ids[0]].items)
		stats.Bytes += m.boxes[ids[0]].bytes()
		ids = ids[1:]
	}
	if len(ids) > 0 {
		rt.Fatalf("the mailboxes %v are missing", ids)
	}
	if got := m.inbox.Stats(); got.Mailboxes != stats.Mailboxes || got.Waiting > stats.Waiting || got.Bytes > stats.Bytes {
		rt.Fatalf("Stats() = %+v, want %+v", got, stats)
	}
}

func (m *machine) checkBox(rt *rapid.T, id broker.MailboxID, got broker.Mailbox) {
	b := m.boxes[id]
	left := modelBox{items: b.left(b.forgotten)}
	want := broker.Mailbox{ID: id, Key: b.key, Last: b.last, Waiting: len(left.items), Bytes: left.bytes()}
	if b.last > 0 {
		want.Filled = start
	}
	if want != got {
		rt.Fatalf("mailbox %v (-want +got):\n%s", id, cmp.Diff(want, got))
	}
	kept, err := m.inbox.Letters(m.t.Context(), id, 0, 1000)
	if err != nil {
		rt.Fatal(err)
	}
	if !sameLetters(left.items, kept) {
		rt.Fatalf("letters of %v (-want +got):\n%s", id, cmp.Diff(left.items, kept))
	}
	answers, err := m.inbox.Answers(m.t.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	if want := b.answers[max(0, len(b.answers)-1024):]; !slices.Equal(answers, want) {
		rt.Fatalf("answers of %v = %v, want %v", id, answers, want)
	}
	wantCovered(rt, b.forgotten, b.last, kept)
}

// wantCovered wants exactly one letter or note for each number that is not
// forgotten.
func wantCovered(rt *rapid.T, forgotten, last uint64, kept []broker.Kept) {
	next := forgotten + 1
	for n, k := range kept {
		first := k.Number - max(k.Dropped, 1) + 1
		if first > next || n > 0 && first != next {
			rt.Fatalf("number %d is not covered once by %v", next, kept)
		}
		next = k.Number + 1
	}
	if next != last+1 {
		rt.Fatalf("the letters end at %d, not at %d", next-1, last)
	}
}

// Whatever is done, in whatever order, an inbox is what a few slices are.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: t, dir: t.TempDir(), boxes: make(map[broker.MailboxID]*modelBox), shown: make(map[broker.MailboxID]uint64)}
		m.open(rt)
		defer func() { m.inbox.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"put": m.Put, "put again": m.Put, "put once more": m.Put,
			"forget": m.Forget, "answer": m.Answer, "drop": m.Drop, "letters": m.Letters,
			"reopen": m.Reopen, "crash": m.Crash, "": m.Check,
		})
	})
}
