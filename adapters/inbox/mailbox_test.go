package inbox_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/inbox"
	"rollcall/domain/broker"
)

// put is one step of a test of what a mailbox does with a letter.
type put struct {
	number, sent uint64
	size         int
}

// When a mailbox is full the oldest letters that are not with the device give way.
// Its limits here are four letters and 100 bytes.
func TestMakingWay(t *testing.T) {
	tests := []struct {
		name string
		puts []put
		want []broker.Kept // with Sealed of the right size
	}{
		{"room for all", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}}, sizes(1, 1, 1, 1)},
		{"two give way, because a note takes a place", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 0, 1}},
			[]broker.Kept{note(2, 2), sized(3, 1), sized(4, 1), sized(5, 1)}},
		{"the note grows", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 0, 1}, {6, 0, 1}},
			[]broker.Kept{note(3, 3), sized(4, 1), sized(5, 1), sized(6, 1)}},
		{"what is with the device stays", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 2, 1}},
			[]broker.Kept{sized(1, 1), sized(2, 1), note(4, 2), sized(5, 1)}},
		{"a note that is with the device stays as it is", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 0, 1}, {6, 2, 1}},
			[]broker.Kept{note(2, 2), note(4, 2), sized(5, 1), sized(6, 1)}},
		{"where all is with the device the new one gives way", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 4, 1}},
			[]broker.Kept{sized(1, 1), sized(2, 1), sized(3, 1), sized(4, 1), note(5, 1)}},
		{"and so does the next", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 4, 1}, {6, 4, 1}},
			[]broker.Kept{sized(1, 1), sized(2, 1), sized(3, 1), sized(4, 1), note(6, 2)}},
		{"bytes count", []put{{1, 0, 60}, {2, 0, 40}, {3, 0, 30}},
			[]broker.Kept{note(1, 1), sized(2, 40), sized(3, 30)}},
		{"a large one takes the place of many", []put{{1, 0, 30}, {2, 0, 30}, {3, 0, 30}, {4, 0, 100}},
			[]broker.Kept{note(3, 3), sized(4, 100)}},
		{"notes that met become one", []put{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 2, 1}, {6, 0, 99}},
			[]broker.Kept{note(4, 4), sized(5, 1), sized(6, 99)}},
		{"a leap over nothing", []put{{7, 6, 1}, {8, 6, 1}}, []broker.Kept{sized(7, 1), sized(8, 1)}},
		{"a leap has a note of its own", []put{{1, 0, 1}, {5, 4, 1}}, []broker.Kept{sized(1, 1), note(4, 3), sized(5, 1)}},
		{"a leap behind a note that is not with the device joins it", []put{{1, 0, 60}, {2, 0, 100}, {5, 2, 100}, {9, 4, 0}},
			[]broker.Kept{note(1, 1), sized(2, 100), note(8, 6), sized(9, 0)}},
		{"a leap behind a note that is with the device does not", []put{{1, 0, 60}, {2, 0, 100}, {3, 2, 100}, {9, 3, 1}},
			[]broker.Kept{note(1, 1), sized(2, 100), note(3, 1), note(9, 6)}},
		{"two notes are made one before a letter gives way", []put{{1, 0, 60}, {2, 0, 41}, {3, 1, 60}, {4, 1, 1}, {5, 1, 1}, {6, 0, 1}},
			[]broker.Kept{note(3, 3), sized(4, 1), sized(5, 1), sized(6, 1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{Letters: 4, Bytes: 100}))
			for _, p := range tt.puts {
				l := broker.Letter{Number: p.number, Sent: p.sent, Sealed: make([]byte, p.size), Key: [32]byte{1}, At: start}
				if fresh, err := i.Put(t.Context(), ann, l); err != nil || !fresh {
					t.Fatalf("Put(%+v) = %v, %v", p, fresh, err)
				}
			}
			wantLetters(t, i, ann, 0, tt.want...)
		})
	}
}

func sized(number uint64, size int) broker.Kept {
	return broker.Kept{Number: number, Sealed: make([]byte, size)}
}

func sizes(all ...int) (kept []broker.Kept) {
	for n, size := range all {
		kept = append(kept, sized(uint64(n)+1, size))
	}
	return kept
}

// What cannot be taken is refused, and changes nothing.
func TestRefusals(t *testing.T) {
	i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{Letters: 2, Bytes: 10}))
	fill(t, i, ann, 1, 4, 1<<63)
	before := i.Stats()
	tests := []struct {
		name string
		l    broker.Letter
		want func(error) bool
	}{
		{"a number that is taken", broker.Letter{Number: 4}, func(err error) bool {
			var e *inbox.NumberError
			return errors.As(err, &e) && *e == (inbox.NumberError{Number: 4, Last: 4})
		}},
		{"no number", broker.Letter{}, func(err error) bool { return errors.As(err, new(*inbox.NumberError)) }},
		{"too large", broker.Letter{Number: 5, Sealed: make([]byte, 11)}, func(err error) bool {
			var e *inbox.SizeError
			return errors.As(err, &e) && *e == (inbox.SizeError{Size: 11, Limit: 10})
		}},
		{"too many with the device", broker.Letter{Number: 5, Sent: 4}, func(err error) bool { return errors.Is(err, inbox.ErrUnacknowledged) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.l.Key = letter(1).Key
			if fresh, err := i.Put(t.Context(), ann, tt.l); fresh || !tt.want(err) {
				t.Errorf("Put = %v, %v", fresh, err)
			}
			if diff := cmp.Diff(before, i.Stats()); diff != "" {
				t.Errorf("it changed something (-before +after):\n%s", diff)
			}
		})
	}
}

// A message that comes twice is told apart, also when it has been forgotten and
// after a restart, among the last 128.
func TestTwice(t *testing.T) {
	dir := t.TempDir()
	i := open(t, dir, inbox.Unsynced(inbox.Options{}))
	fill(t, i, ann, 1, 129, 0)
	i.Forget(ann, 129)
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i = open(t, dir, inbox.Unsynced(inbox.Options{}))
	for _, n := range []uint64{129, 100, 2, 1} {
		l := letter(n)
		l.Number = 130
		if fresh, err := i.Put(t.Context(), ann, l); fresh != (n == 1) || err != nil {
			t.Errorf("the message of letter %d again: Put = %v, %v; want %v", n, fresh, err, n == 1)
		}
	}
	l := letter(129)
	if fresh, err := i.Put(t.Context(), bob, l); !fresh || err != nil {
		t.Errorf("the same message in another mailbox: Put = %v, %v; want true", fresh, err)
	}
}

func TestMessagesWithoutDigestAreAllFresh(t *testing.T) {
	i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{}))
	for n := range uint64(3) {
		l := letter(n + 1)
		l.Digest = broker.Digest{}
		if fresh, err := i.Put(t.Context(), ann, l); !fresh || err != nil {
			t.Errorf("Put(%d) = %v, %v", n+1, fresh, err)
		}
	}
}

// A device of the same number with another key is another device.
func TestAnotherKeyDropsWhatIsThere(t *testing.T) {
	i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{}))
	fill(t, i, ann, 1, 3, 0)
	answer(t, i, ann, 7)
	i.Forget(ann, 2)
	l := letter(1)
	l.Key = [32]byte{'x'}
	if fresh, err := i.Put(t.Context(), ann, l); !fresh || err != nil {
		t.Fatalf("Put = %v, %v", fresh, err)
	}
	wantLetters(t, i, ann, 0, kept(1))
	wantMailbox(t, i, broker.Mailbox{ID: ann, Key: l.Key, Last: 1, Waiting: 1, Bytes: 2, Filled: start})
	wantAnswers(t, i, ann)
}

// What is forgotten leaves the mailbox as it is; what is dropped leaves nothing.
func TestForgetAndDrop(t *testing.T) {
	i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{}))
	fill(t, i, ann, 1, 3, 0)
	answer(t, i, ann, 7)
	i.Forget(ann, 3)
	wantLetters(t, i, ann, 0)
	wantMailbox(t, i, broker.Mailbox{ID: ann, Key: letter(1).Key, Last: 3, Filled: start})
	if err := i.Drop(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	wantMailbox(t, i, broker.Mailbox{})
	wantAnswers(t, i, ann)
	i.Forget(ann, 9)
	fill(t, i, ann, 1, 1, 0)
	wantLetters(t, i, ann, 0, kept(1))
}

func answer(t testing.TB, i *inbox.Inbox, id broker.MailboxID, n int) {
	t.Helper()
	if err := i.Answer(t.Context(), id, made(n)); err != nil {
		t.Fatal(err)
	}
}

func made(n int) broker.Answer {
	return broker.Answer{Message: broker.Digest{0: byte(n), 1: byte(n >> 8)}, Refused: n%3 == 0}
}

func wantAnswers(t testing.TB, i *inbox.Inbox, id broker.MailboxID, want ...broker.Answer) {
	t.Helper()
	got, err := i.Answers(t.Context(), id)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Answers = %d answers, %v; want %d (-want +got):\n%s", len(got), err, len(want), cmp.Diff(want, got))
	}
}

// The latest 1,024 answers are kept, and no more room is taken by many more.
func TestAnswers(t *testing.T) {
	dir := t.TempDir()
	i := open(t, dir, inbox.Unsynced(inbox.Options{}))
	var want []broker.Answer
	for n := range 1500 {
		answer(t, i, ann, n)
		want = append(want, made(n))
		if n == 70 {
			wantAnswers(t, i, ann, want...)
		}
	}
	answer(t, i, bob, 1)
	wantAnswers(t, i, ann, want[len(want)-1024:]...)
	wantMailbox(t, i, broker.Mailbox{ID: ann})
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i = open(t, dir, inbox.Unsynced(inbox.Options{}))
	wantAnswers(t, i, ann, want[len(want)-1024:]...)
	wantAnswers(t, i, bob, made(1))
}
