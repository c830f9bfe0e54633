package inbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// What is forgotten is written once a second at most, for all mailboxes together,
// and only while there is something to write.
func TestForgottenIsWrittenWithinASecond(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		i := open(t, dir, inbox.Options{})
		fill(t, i, ann, 1, 3, 0)
		fill(t, i, bob, 1, 3, 0)
		commits := i.Stats().Commits
		want := func(more uint64, waiting int) {
			t.Helper()
			synctest.Wait()
			if s := i.Stats(); s.Commits != commits+more || s.Waiting != waiting {
				t.Errorf("after %d commits %d are waiting; want %d and %d", s.Commits-commits, s.Waiting, more, waiting)
			}
		}
		i.Forget(ann, 1)
		time.Sleep(500 * time.Millisecond)
		i.Forget(ann, 3)
		i.Forget(ann, 2)
		i.Forget(bob, 1)
		want(0, 6)
		time.Sleep(500 * time.Millisecond)
		want(1, 2)
		time.Sleep(time.Hour)
		want(1, 2)
		i.Forget(bob, 2)
		time.Sleep(time.Second - time.Millisecond)
		want(1, 2)
		time.Sleep(time.Millisecond)
		want(2, 1)
	})
}

// What is forgotten goes along with whatever is written.
func TestForgottenComesAlong(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		i := open(t, dir, inbox.Options{})
		fill(t, i, ann, 1, 3, 0)
		before := i.Stats()
		i.Forget(ann, 2)
		fill(t, i, bob, 1, 1, 0)
		if s := i.Stats(); s.Commits != before.Commits+1 || s.Waiting != 2 {
			t.Errorf("after %d commits %d are waiting; want 1 and 2", s.Commits-before.Commits, s.Waiting)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := i.Stats(); s.Commits != before.Commits+1 {
			t.Errorf("there were %d commits; want 1", s.Commits-before.Commits)
		}
	})
}

// What was to be forgotten in a mailbox goes with it, also where more was forgotten
// than one commit takes: the next mailbox of that name counts from one.
func TestForgottenGoesWithItsMailbox(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		i := open(t, dir, inbox.Unsynced(inbox.Options{}))
		const crowd, count = 1000, 4 // any of which the first commit may take along
		id := func(n int) broker.MailboxID { return broker.MailboxID{Device: domain.DeviceID(n + 1), Account: 5} }
		for n := range count {
			fill(t, i, id(n), 1, 3, 0)
			i.Forget(id(n), 3)
		}
		for n := range 20 * crowd {
			i.Forget(id(count+n), 3)
		}
		for n := range count {
			if err := i.Drop(t.Context(), id(n)); err != nil {
				t.Fatal(err)
			}
			fill(t, i, id(n), 1, 2, 0)
		}
		for n := range count {
			wantLetters(t, i, id(n), 1, kept(1), kept(2)) // what is not written is skipped
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for n := range count {
			wantLetters(t, i, id(n), 1, kept(1), kept(2))
		}
	})
}
