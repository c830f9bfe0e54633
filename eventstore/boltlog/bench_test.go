package boltlog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// townLog gives a log of a town of 20,000 people with at least so many events,
// packed, and how many bytes its database takes.
func townLog(b *testing.B, events int) (log *boltlog.Log, size int64) {
	dir := b.TempDir()
	log = open(b, dir)
	for w := newTown(20_000); int(w.last) < events; {
		last := w.last
		if _, err := log.Append(b.Context(), last, eventstore.Batch{Records: w.records(200)}); err != nil {
			b.Fatal(err)
		}
	}
	pack(b, log)
	backup := filepath.Join(dir, "backup")
	if err := log.Backup(b.Context(), backup); err != nil {
		b.Fatal(err)
	}
	whole, err := os.ReadFile(backup)
	if err != nil {
		b.Fatal(err)
	}
	return log, int64(usedBytes(whole))
}

// BenchmarkReplay reads a log of a town, one record and many at a time.
func BenchmarkReplay(b *testing.B) {
	log, size := townLog(b, 2_000_000)
	total := int(log.Last())
	ways := map[string]func() (n int, err error){
		"read": func() (n int, err error) {
			for _, err := range log.Read(b.Context(), 1) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"blocks": func() (n int, err error) {
			for records, err := range log.Blocks(b.Context(), 1) {
				if err != nil {
					return n, err
				}
				n += len(records)
			}
			return n, nil
		},
	}
	for name, read := range ways {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n, err := read(); n != total || err != nil {
					b.Fatalf("%d records, %v; want %d", n, err, total)
				}
			}
			b.ReportMetric(float64(b.N)*float64(total)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(size)/float64(total), "B/event")
		})
	}
}

// BenchmarkPacking tells how long a writer waits for an answer while others write
// too, with the packer at work and with the packer held.
func BenchmarkPacking(b *testing.B) {
	for _, held := range []bool{false, true} {
		b.Run(fmt.Sprintf("held=%v", held), func(b *testing.B) {
			log := open(b, b.TempDir()) // held, it has room for some 30 MiB
			if held {
				defer log.HoldPacking()()
			}
			var took []time.Duration
			for len(took) < 3000 {
				last := log.Last()
				records := logtest.Records(last+1, 250)
				start := time.Now()
				if _, err := log.Append(b.Context(), last, eventstore.Batch{Records: records}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			for _, q := range []float64{0.5, 0.99, 0.999} {
				b.ReportMetric(float64(took[int(q*float64(len(took)-1))].Microseconds()), fmt.Sprintf("µs-p%g", 100*q))
			}
		})
	}
}
