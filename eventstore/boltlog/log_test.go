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
			log := open(t, dir)
			dirs[log] = dir
			return log
		},
		Reopen: func(t *testing.T, log eventstore.Log) eventstore.Log {
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			again := open(t, dirs[log])
			dirs[again] = dirs[log]
			return again
		},
	})
}

func open(t testing.TB, dir string) *boltlog.Log {
	t.Helper()
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}
