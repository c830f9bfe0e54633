package projections_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
	"rollcall/projections"
	"rollcall/projections/sessions"
)

// townLog gives a log on disk of a town of 20,000 people, packed, with at least so
// many events.
func townLog(b *testing.B, events int) *boltlog.Log {
	b.Helper()
	log, err := boltlog.Open(b.TempDir(), boltlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	for town := logtest.NewTown(20_000); int(log.Last()) < events; {
		if _, err := log.Append(b.Context(), log.Last(), eventstore.Batch{Records: town.Records(200)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := log.Pack(); err != nil {
		b.Fatal(err)
	}
	return log
}

// BenchmarkRebuildFromDisk measures the way from the log on disk, which the kernel has
// in its cache, into the views' file: into one view, and into all of them in one pass.
func BenchmarkRebuildFromDisk(b *testing.B) {
	log := townLog(b, 2_000_000)
	for _, c := range []struct {
		name string
		ps   []projections.Projection
	}{
		{sessions.Name, []projections.Projection{sessions.Projection()}},
		{"all", all()},
	} {
		b.Run(c.name, func(b *testing.B) {
			before := processorTime(b)
			for b.Loop() {
				path := filepath.Join(b.TempDir(), "projections.db")
				s, err := projections.Open(path, log, discard, c.ps...)
				if err := errors.Join(err, s.CatchUp(b.Context()), s.Close(), os.Remove(path)); err != nil {
					b.Fatal(err)
				}
			}
			total := float64(log.Last()) * float64(b.N)
			b.ReportMetric(float64(processorTime(b)-before)/total, "cpu-ns/event")
			b.ReportMetric(total/b.Elapsed().Seconds(), "events/s")
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
