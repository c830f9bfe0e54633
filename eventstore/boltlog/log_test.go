package boltlog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// torture tells whether the long forms of the tests are wanted.
var torture = os.Getenv("ROLLCALL_TORTURE") != ""

func TestLog(t *testing.T) {
	dirs := make(map[eventstore.Log]string)
	opened := func(t *testing.T, dir string) eventstore.Log {
		log := openSmall(t, dir)
		dirs[log] = dir
		return log
	}
	reopen := func(t *testing.T, log eventstore.Log) eventstore.Log {
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		return opened(t, dirs[log])
	}
	logtest.Run(t, logtest.Subject{
		Open:   func(t *testing.T) eventstore.Log { return opened(t, t.TempDir()) },
		Reopen: reopen,
		Others: map[string]func(*testing.T, eventstore.Log) eventstore.Log{
			"pack": func(t *testing.T, log eventstore.Log) eventstore.Log {
				pack(t, log.(*boltlog.Log))
				return log
			},
			"crash": func(t *testing.T, log eventstore.Log) eventstore.Log {
				return opened(t, asCrashed(t, log.(*boltlog.Log), dirs[log]))
			},
			"restore": func(t *testing.T, log eventstore.Log) eventstore.Log {
				dir := t.TempDir()
				if err := log.(*boltlog.Log).Backup(t.Context(), filepath.Join(dir, "log.db")); err != nil {
					t.Fatal(err)
				}
				log.Close()
				return opened(t, dir)
			},
		},
	})
}

// asCrashed gives a folder with what a process would leave that died just now, and
// closes the log.
func asCrashed(t *testing.T, log *boltlog.Log, dir string) string {
	t.Helper()
	left := copyNow(t, log, dir)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return left
}

// copyNow copies the folder of a log as it is at one moment.
func copyNow(t *testing.T, log *boltlog.Log, dir string) string {
	t.Helper()
	defer log.HoldPacking()()
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	forgetOwner(t, left)
	return left
}

// forgetOwner removes what tells a copy of a log that was open from one that was
// killed before it was copied.
func forgetOwner(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "log.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *boltlog.Log {
	t.Helper()
	return openWith(t, dir, boltlog.Options{})
}

// openSmall opens a log whose journal soon has to go on to the next segment.
func openSmall(t testing.TB, dir string) *boltlog.Log {
	t.Helper()
	return openWith(t, dir, boltlog.Options{SegmentSize: 8 << 10})
}

func openWith(t testing.TB, dir string, options boltlog.Options) *boltlog.Log {
	t.Helper()
	log, err := boltlog.Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}
