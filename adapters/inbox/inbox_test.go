package inbox_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

var (
	log1  = domain.LogID{1}
	log2  = domain.LogID{2}
	ann   = broker.MailboxID{Device: 3, Account: 5}
	bob   = broker.MailboxID{Device: 4, Account: 5}
	start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

// open opens the inbox in a folder, and closes it when the test is over.
func open(t testing.TB, dir string, options inbox.Options) *inbox.Inbox {
	t.Helper()
	i, err := inbox.Open(filepath.Join(dir, inbox.FileName), log1, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

// letter makes a letter whose content tells its number.
func letter(number uint64) broker.Letter {
	return broker.Letter{
		Number: number, Digest: broker.Digest{1: 7, 8: byte(number), 9: byte(number >> 8)},
		Sealed: []byte{byte(number), 's'}, Key: [32]byte{'k'}, At: start,
	}
}

// fill puts letters first to last, each with sent as what is with the device.
func fill(t testing.TB, i *inbox.Inbox, id broker.MailboxID, first, last, sent uint64) {
	t.Helper()
	for n := first; n <= last; n++ {
		l := letter(n)
		l.Sent = sent
		if fresh, err := i.Put(t.Context(), id, l); err != nil || !fresh {
			t.Fatalf("Put(%d) = %v, %v", n, fresh, err)
		}
	}
}

func kept(number uint64) broker.Kept {
	return broker.Kept{Number: number, Sealed: letter(number).Sealed}
}

func note(number, dropped uint64) broker.Kept {
	return broker.Kept{Number: number, Dropped: dropped}
}

func wantLetters(t testing.TB, i *inbox.Inbox, id broker.MailboxID, from uint64, want ...broker.Kept) {
	t.Helper()
	got, err := i.Letters(t.Context(), id, from, 10000)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Letters(%v, from %d) (-want +got):\n%s", id, from, diff)
	}
}

func wantMailbox(t testing.TB, i *inbox.Inbox, want broker.Mailbox) {
	t.Helper()
	got, err := i.Mailbox(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Mailbox(%v) (-want +got):\n%s", want.ID, diff)
	}
}

func TestLettersWait(t *testing.T) {
	dir := t.TempDir()
	i := open(t, dir, inbox.Options{})
	fill(t, i, ann, 1, 3, 0)
	fill(t, i, bob, 1, 1, 0)
	check := func() {
		t.Helper()
		wantLetters(t, i, ann, 0, kept(1), kept(2), kept(3))
		wantLetters(t, i, ann, 3, kept(3))
		wantLetters(t, i, bob, 0, kept(1))
		wantMailbox(t, i, broker.Mailbox{ID: ann, Key: [32]byte{'k'}, Last: 3, Waiting: 3, Bytes: 6, Filled: start})
	}
	check()
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i = open(t, dir, inbox.Options{})
	check()
	i.Forget(ann, 2)
	wantLetters(t, i, ann, 0, kept(3))
	wantMailbox(t, i, broker.Mailbox{ID: ann, Key: [32]byte{'k'}, Last: 3, Waiting: 1, Bytes: 2, Filled: start})
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	i = open(t, dir, inbox.Options{})
	wantLetters(t, i, ann, 0, kept(3))
	wantLetters(t, i, bob, 0, kept(1))
}

func TestFullMailboxMakesWay(t *testing.T) {
	i := open(t, t.TempDir(), inbox.Options{Letters: 4})
	fill(t, i, ann, 1, 4, 0)
	wantLetters(t, i, ann, 0, kept(1), kept(2), kept(3), kept(4))
	fill(t, i, ann, 5, 5, 1)
	wantLetters(t, i, ann, 0, kept(1), note(3, 2), kept(4), kept(5))
	fill(t, i, ann, 6, 6, 1)
	wantLetters(t, i, ann, 0, kept(1), note(4, 3), kept(5), kept(6))
	fill(t, i, ann, 7, 7, 4) // the note is with the device
	wantLetters(t, i, ann, 0, kept(1), note(4, 3), note(6, 2), kept(7))
}
