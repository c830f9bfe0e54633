package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

func print(rows []*row, writers int) {
	fmt.Printf("\n%d writers:\n\n", writers)
	fmt.Println("| | events/s | of the limit | p50 | p99 | syncs/event | device bytes/event | bytes/event at rest |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		resting := fmt.Sprintf("%.1f", float64(r.grown)/float64(r.events))
		if r.grown == 0 {
			resting = "–" // its files are of a fixed size
		}
		fmt.Printf("| %s | %.0f | %.2f | %s | %s | %s | %.0f | %s |\n", r.peer.name,
			middle(r.rounds, func(r round) float64 { return r.rate }), r.ratio(rows[0]),
			milliseconds(middle(r.rounds, func(r round) time.Duration { return r.p50 })),
			milliseconds(middle(r.rounds, func(r round) time.Duration { return r.p99 })),
			syncs(r.syncs), r.leastDevice(), resting)
	}
}

// ratio gives the median of the ratios to the limit in the same round.
func (r *row) ratio(limit *row) float64 {
	ratios := make([]float64, len(r.rounds))
	for i := range ratios {
		ratios[i] = r.rounds[i].rate / limit.rounds[i].rate
	}
	return median(ratios)
}

// leastDevice gives the least bytes for an event of all rounds: what others
// wrote meanwhile only adds.
func (r *row) leastDevice() float64 {
	least := r.rounds[0].device
	for _, round := range r.rounds {
		least = min(least, round.device)
	}
	return least
}

func syncs(n float64) string {
	if n < 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f", n)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func middle[T cmp.Ordered](rounds []round, of func(round) T) T {
	values := make([]T, len(rounds))
	for i, r := range rounds {
		values[i] = of(r)
	}
	return median(values)
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
