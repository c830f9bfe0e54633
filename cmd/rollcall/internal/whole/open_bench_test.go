package whole_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rollcall/adapters/local"
	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/boltlog/snapshot"
)

// BenchmarkOpen tells how long it takes from opening a log of 10,000,000 events to
// the first admitted login, with a snapshot and without. 20,000 people have a device
// each and log in over and over, each in the place of their own last session; every
// login leaves an address beside the log. The snapshot is as old as one gets: so
// many events have come since as just make no other one due, and as many as wait in
// the journal at most.
func BenchmarkOpen(b *testing.B) {
	const people, events, behind = 20_000, 10_000_000, 500_000
	dir := b.TempDir()
	c := newCity(b, dir, people)
	c.grow(events - behind)
	c.close()
	o := opening{b, dir, c.devices[0]}
	o.login(func(log *boltlog.Log) broker.Snapshots { return snapshot.New(dir, log, "bench") })
	c.open()
	c.grow(events)
	c.close()
	for _, file := range []string{"log.db", "ledger.snapshot"} {
		b.Logf("%s: %d bytes", file, must(os.Stat(filepath.Join(dir, file)))(b).Size())
	}
	ways := map[string]func(*boltlog.Log) broker.Snapshots{
		"yes": func(log *boltlog.Log) broker.Snapshots { return frozen{snapshot.New(dir, log, "bench")} },
		"no":  func(*boltlog.Log) broker.Snapshots { return nil },
	}
	for _, snapshots := range []string{"yes", "no"} {
		b.Run("snapshot="+snapshots, func(b *testing.B) {
			var processor time.Duration
			for b.Loop() {
				processor += opening{b, dir, c.devices[0]}.login(ways[snapshots])
			}
			b.ReportMetric(processor.Seconds()*1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// frozen makes no further snapshots.
type frozen struct{ *snapshot.Store }

func (frozen) Newest() domain.Position { return 0 }

// opening is an appliance that is opened for one login.
type opening struct {
	*testing.B
	dir    string
	device domain.DeviceID
}

// login measures from opening the log to the end of a login, and gives the processor
// time of it, which other load on the machine does not change.
func (o opening) login(snapshots func(*boltlog.Log) broker.Snapshots) time.Duration {
	before := processorTime(o)
	logger := slog.New(slog.DiscardHandler)
	log := must(boltlog.Open(o.dir, boltlog.Options{}))(o)
	accounts := must(local.OpenStore(filepath.Join(o.dir, "accounts"), local.CheapCost))(o)
	config := broker.Config{Log: log, Connectors: []broker.Connector{local.New(accounts, logger)}, Version: "bench"}
	if s := snapshots(log); s != nil {
		config.Snapshots = s
	}
	opened := must(broker.Open(o.Context(), config))(o)
	check(o, opened.Start(o.Context()))
	must(opened.Login(o.Context(), broker.Login{Device: o.device, Service: "im", Account: name(0), Password: password}, &quiet{}))(o)
	o.StopTimer()
	took := processorTime(o) - before
	check(o, opened.Stop(context.Background()))
	check(o, log.Close())
	o.StartTimer()
	return took
}

// processorTime gives what this process has used of all cores.
func processorTime(tb testing.TB) time.Duration {
	var used syscall.Rusage
	check(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
