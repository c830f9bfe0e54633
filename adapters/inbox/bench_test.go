package inbox_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

const letterSize = 300

// BenchmarkPut puts letters into so many mailboxes at once, each of which forgets
// what it has now and then. The peer is what one would write without thinking of
// it: a transaction for each.
func BenchmarkPut(b *testing.B) {
	for _, mailboxes := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("mailboxes=%d/to=inbox", mailboxes), func(b *testing.B) {
			i := open(b, b.TempDir(), inbox.Options{})
			benchmark(b, mailboxes, func(id broker.MailboxID, l broker.Letter) error {
				if l.Number%16 == 0 {
					i.Forget(id, l.Number-1)
				}
				_, err := i.Put(b.Context(), id, l)
				return err
			})
			s := i.Stats()
			b.ReportMetric(float64(s.Changes)/float64(s.Commits), "changes/commit")
			b.ReportMetric(float64(s.FileSize)/(1<<20), "MiB")
		})
		b.Run(fmt.Sprintf("mailboxes=%d/to=update", mailboxes), func(b *testing.B) {
			db, err := bbolt.Open(filepath.Join(b.TempDir(), "plain.db"), 0o600, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			benchmark(b, mailboxes, func(id broker.MailboxID, l broker.Letter) error {
				return db.Update(func(tx *bbolt.Tx) error { return plainPut(tx, id, l) })
			})
		})
	}
}

func plainPut(tx *bbolt.Tx, id broker.MailboxID, l broker.Letter) error {
	rows, err := tx.CreateBucketIfNotExists([]byte("letters"))
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(nil, uint64(id.Device))
	if l.Number > 16 {
		if err := rows.Delete(binary.BigEndian.AppendUint64(key[:8:8], l.Number-16)); err != nil {
			return err
		}
	}
	return rows.Put(binary.BigEndian.AppendUint64(key[:8:8], l.Number), l.Sealed)
}

// benchmark puts b.N letters, in as many goroutines as mailboxes.
func benchmark(b *testing.B, mailboxes int, put func(broker.MailboxID, broker.Letter) error) {
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for m := range mailboxes {
		all.Go(func() {
			sealed := make([]byte, letterSize)
			for n := 1; n <= b.N/mailboxes+1; n++ {
				l := letter(uint64(n))
				l.Sealed = sealed
				binary.BigEndian.PutUint64(l.Digest[:], uint64(n))
				if err := put(broker.MailboxID{Device: domain.DeviceID(m + 1), Account: 1}, l); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
}
