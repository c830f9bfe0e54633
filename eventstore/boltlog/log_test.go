package boltlog_test

import (
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

func TestLog(t *testing.T) {
	dirs := make(map[eventstore.Log]string)
	logtest.Run(t, logtest.Subject{
		Open: func(t *testing.T) eventstore.Log {
			dir := t.TempDir()
			log := openSmall(t, dir)
			dirs[log] = dir
			return log
		},
		Reopen: func(t *testing.T, log eventstore.Log) eventstore.Log {
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			again := openSmall(t, dirs[log])
			dirs[again] = dirs[log]
			return again
		},
	})
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
