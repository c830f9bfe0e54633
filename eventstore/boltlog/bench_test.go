package boltlog_test

import (
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

// BenchmarkPacking tells how long a writer of 250 events at a time waits for an
// answer, with the packer at work and with the packer held, turn by turn: medians
// over the rounds. In each round the packer begins at least once, and what is
// left is packed between the rounds.
func BenchmarkPacking(b *testing.B) {
	const rounds = 9
	p50, p99 := make(map[bool][]time.Duration), make(map[bool][]time.Duration)
	for b.Loop() {
		for i := range 2 * rounds {
			held := i%4 == 0 || i%4 == 3 // either first as often as the other
			took := packingRound(b, held)
			p50[held] = append(p50[held], took[len(took)/2])
			p99[held] = append(p99[held], took[len(took)*99/100])
		}
	}
	for held, name := range map[bool]string{true: "held", false: "packing"} {
		b.ReportMetric(medianMicroseconds(p50[held]), "µs-p50-"+name)
		b.ReportMetric(medianMicroseconds(p99[held]), "µs-p99-"+name)
	}
	b.ReportMetric(0, "ns/op") // says nothing
}

// packingRound gives how long each append took, sorted.
func packingRound(b *testing.B, held bool) []time.Duration {
	log := open(b, b.TempDir()) // held, it has room for some 30 MiB
	defer pack(b, log)
	if held {
		defer log.HoldPacking()()
	}
	took := make([]time.Duration, 1500)
	for i := range took {
		records := logtest.Records(log.Last()+1, 250)
		start := time.Now()
		if _, err := log.Append(b.Context(), log.Last(), eventstore.Batch{Records: records}); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	return slices.Sorted(slices.Values(took))
}

func medianMicroseconds(all []time.Duration) float64 {
	return float64(slices.Sorted(slices.Values(all))[len(all)/2].Microseconds())
}
