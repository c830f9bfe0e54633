package inbox_test

import (
	"os"
	"sync"
	"testing"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// torture tells whether the long forms of the tests are wanted.
var torture = os.Getenv("ROLLCALL_TORTURE") != ""

// However long it is used, the file is no larger than what waits at one time
// makes it.
func TestFileStaysSmall(t *testing.T) {
	const mailboxes = 100
	cycles := uint64(300) // without using room again the file would be twice as large as it may be
	if torture {
		cycles = 1000
	}
	i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{}))
	var all sync.WaitGroup
	for m := range mailboxes {
		all.Go(func() {
			id := broker.MailboxID{Device: domain.DeviceID(m), Account: 1}
			for n := uint64(1); n <= cycles; n++ {
				l := letter(n)
				l.Sealed = make([]byte, n%7*150)
				if _, err := i.Put(t.Context(), id, l); err != nil {
					t.Error(err)
					return
				}
				i.Forget(id, n)
			}
		})
	}
	all.Wait()
	if s := i.Stats(); s.FileSize > 8<<20 {
		t.Errorf("after %d letters were put and forgotten the file has %d bytes", mailboxes*cycles, s.FileSize)
	}
}

// Many who write and read at once get in nobody's way.
func TestAtOnce(t *testing.T) {
	i := open(t, t.TempDir(), inbox.Unsynced(inbox.Options{Letters: 8}))
	var all sync.WaitGroup
	for m := range 16 {
		id := broker.MailboxID{Device: domain.DeviceID(m % 8), Account: domain.AccountID(m / 8)}
		all.Go(func() { putAndRead(t, i, id) })
		all.Go(func() {
			for range 20 {
				for _, err := range i.Mailboxes(t.Context()) {
					if err != nil {
						t.Error(err)
					}
				}
				i.Stats()
			}
		})
	}
	all.Wait()
	s := i.Stats()
	if s.Mailboxes != 16 || s.Dropped == 0 || s.Changes <= s.Commits {
		t.Errorf("Stats() = %+v", s)
	}
	var gathered uint64
	for _, n := range s.Gathered {
		gathered += n
	}
	if gathered != s.Commits {
		t.Errorf("%d of %d commits are counted by what they gathered", gathered, s.Commits)
	}
}

// putAndRead wants every letter to be there as soon as it is put, and to be gone
// as soon as it is forgotten.
func putAndRead(t *testing.T, i *inbox.Inbox, id broker.MailboxID) {
	for n := uint64(1); n <= 60; n++ {
		if fresh, err := i.Put(t.Context(), id, letter(n)); err != nil || !fresh {
			t.Errorf("Put(%d) = %v, %v", n, fresh, err)
			return
		}
		if err := i.Answer(t.Context(), id, made(int(n))); err != nil {
			t.Error(err)
		}
		wantLetters(t, i, id, n, kept(n))
		if n%20 == 0 {
			i.Forget(id, n)
			wantLetters(t, i, id, 0)
		}
	}
}
