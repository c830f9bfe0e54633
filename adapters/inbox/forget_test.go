package inbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rollcall/adapters/inbox"
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
