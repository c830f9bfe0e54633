package whole_test

import (
	"encoding/binary"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"
)

// eventsALogin is what a login that supersedes its device's last session
// records: requested, ended, admitted, accepted.
const eventsALogin = 4

// measurePlain is the plain way to keep such a log: one bbolt transaction for
// each event, and nothing else done.
func measurePlain(b *testing.B, devices int) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "plain.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for range devices {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				for range eventsALogin {
					if err := db.Update(putEvent); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(b.N*eventsALogin)/b.Elapsed().Seconds(), "events/s")
}

// putEvent writes an event of common size under the next position.
func putEvent(tx *bbolt.Tx) error {
	events, err := tx.CreateBucketIfNotExists([]byte("events"))
	if err != nil {
		return err
	}
	position, err := events.NextSequence()
	if err != nil {
		return err
	}
	return events.Put(binary.BigEndian.AppendUint64(nil, position), make([]byte, 16))
}
