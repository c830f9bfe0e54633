package boltlog_test

import (
	"os"
	"path/filepath"
	"syscall"
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
	for town := logtest.NewTown(20_000); int(log.Last()) < events; {
		if _, err := log.Append(b.Context(), log.Last(), eventstore.Batch{Records: town.Records(200)}); err != nil {
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

// BenchmarkReplay reads a log of a town, one record and many at a time. Beside that
// it only decompresses the blocks: there is no reading faster than that.
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
		"decompress": func() (n int, err error) {
			last, err := log.Decompress()
			return int(last), err
		},
	}
	for name, read := range ways {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				if n, err := read(); n != total || err != nil {
					b.Fatalf("%d records, %v; want %d", n, err, total)
				}
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/float64(total), "cpu-ns/event")
			b.ReportMetric(float64(b.N)*float64(total)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(size)/float64(total), "B/event")
		})
	}
}

// processorTime gives what the process has taken of all processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
