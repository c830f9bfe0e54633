package broker_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// sinkLog is a log that keeps nothing, and takes so long for a commit.
type sinkLog struct {
	takes   time.Duration
	last    atomic.Uint64
	commits atomic.Uint64
}

func (*sinkLog) ID() domain.LogID { return domain.LogID{} }

func (l *sinkLog) Append(_ context.Context, _ domain.Position, b domain.Batch) (domain.Position, error) {
	if l.takes > 0 { // a sleep here would take a millisecond at least
		for began := time.Now(); time.Since(began) < l.takes; {
			runtime.Gosched()
		}
	}
	l.commits.Add(1)
	return domain.Position(l.last.Add(uint64(len(b.Records)))), nil
}

func (*sinkLog) Read(context.Context, domain.Position) iter.Seq2[domain.Record, error] {
	return func(func(domain.Record, error) bool) {}
}

func (*sinkLog) Blocks(context.Context, domain.Position) iter.Seq2[[]domain.Record, error] {
	return func(func([]domain.Record, error) bool) {}
}

func (*sinkLog) SidesOf(context.Context, []domain.SideKey) iter.Seq2[domain.Side, error] {
	return func(func(domain.Side, error) bool) {}
}

func (*sinkLog) Sides(context.Context) iter.Seq2[domain.Side, error] {
	return func(func(domain.Side, error) bool) {}
}

func (*sinkLog) Side(context.Context, domain.SideKey) ([]byte, bool, error) { return nil, false, nil }

// BenchmarkDecisions has so many callers decide at once, behind a log that costs
// nothing and behind one whose commits take 200 µs. One decision is one record: the
// settings are others each time, because those that a service has are no news.
func BenchmarkDecisions(b *testing.B) {
	for _, takes := range []time.Duration{0, 200 * time.Microsecond} {
		for _, callers := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("commit=%v/callers=%d", takes, callers), func(b *testing.B) { benchDecisions(b, takes, callers) })
		}
	}
}

func benchDecisions(b *testing.B, takes time.Duration, callers int) {
	log := &sinkLog{takes: takes}
	br, err := broker.Open(b.Context(), broker.Config{Log: log, Connectors: []broker.Connector{&upstream{}}})
	if err != nil {
		b.Fatal(err)
	}
	defer br.Stop(context.Background())
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				settings := domain.Settings{Kind: domain.KindLocal, IdleTimeout: domain.Some(time.Minute + time.Duration(n)*time.Second)}
				if _, err := br.ConfigureService(b.Context(), "im", settings); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	b.ReportMetric(float64(log.last.Load())/float64(log.commits.Load()), "records/commit")
}
