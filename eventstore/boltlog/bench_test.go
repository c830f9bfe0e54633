package boltlog_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// BenchmarkAppend compares, for so many writers of one event each, the log behind
// a committer that gathers while the last batch is synced, with a bbolt
// transaction for each event.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d/log=rollcall", writers), func(b *testing.B) {
			c := newCommitter(b, open(b, b.TempDir()))
			defer c.stop()
			write(b, writers, c.append)
		})
		b.Run(fmt.Sprintf("writers=%d/log=update-per-event", writers), func(b *testing.B) {
			write(b, writers, updatePerEvent(b))
		})
	}
}

// write has b.N events written by so many writers at once.
func write(b *testing.B, writers int, one func() error) {
	events := make(chan struct{}, writers)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range events {
				if err := one(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		events <- struct{}{}
	}
	close(events)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// committer gathers what comes while the last batch is being made durable.
type committer struct {
	log     *boltlog.Log
	waiting chan chan error
	stopped chan struct{}
}

func newCommitter(b *testing.B, log *boltlog.Log) *committer {
	c := &committer{log, make(chan chan error, 4096), make(chan struct{})}
	go c.run(b)
	return c
}

func (c *committer) append() error {
	done := make(chan error, 1)
	c.waiting <- done
	return <-done
}

func (c *committer) run(b *testing.B) {
	defer close(c.stopped)
	for first := range c.waiting {
		batch := []chan error{first}
		for range len(c.waiting) {
			batch = append(batch, <-c.waiting)
		}
		last := c.log.Last()
		_, err := c.log.Append(b.Context(), last, eventstore.Batch{Records: logtest.Records(last+1, len(batch))})
		for _, done := range batch {
			done <- err
		}
	}
}

func (c *committer) stop() {
	close(c.waiting)
	<-c.stopped
}

// updatePerEvent gives the plain way: a transaction and a key for each event.
func updatePerEvent(b *testing.B) func() error {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "plain.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	event := make([]byte, 12) // about what a record takes
	return func() error {
		return db.Update(func(tx *bbolt.Tx) error {
			events, err := tx.CreateBucketIfNotExists([]byte("events"))
			if err != nil {
				return err
			}
			next, err := events.NextSequence()
			if err != nil {
				return err
			}
			return events.Put(binary.BigEndian.AppendUint64(nil, next), event)
		})
	}
}

// BenchmarkReplay reads a log of so many events, one event and many at a time,
// beside a flat file of records of a fixed size.
func BenchmarkReplay(b *testing.B) {
	const total = 2_000_000
	log := open(b, b.TempDir())
	logtest.Fill(b, log, total, 4096)
	if err := log.Pack(); err != nil {
		b.Fatal(err)
	}
	perSecond := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*total/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range log.Read(b.Context(), 1) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != total {
				b.Fatalf("%d records, want %d", n, total)
			}
		}
		perSecond(b)
	})
	b.Run("blocks", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for records, err := range log.Blocks(b.Context(), 1) {
				if err != nil {
					b.Fatal(err)
				}
				n += len(records)
			}
			if n != total {
				b.Fatalf("%d records, want %d", n, total)
			}
		}
		perSecond(b)
	})
}
