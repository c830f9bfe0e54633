package boltlog_test

import (
	"slices"
	"testing"
	"time"

	"rollcall/eventstore"
	"rollcall/eventstore/logtest"
)

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
