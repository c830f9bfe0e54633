package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func main() {
	events := flag.Int("events", 2_000_000, "how many events, about")
	rounds := flag.Int("rounds", 9, "how many rounds")
	folder := flag.String("folder", "", "where to write; a new folder for the time being if empty")
	flag.Parse()
	if err := run(*folder, *events, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func run(folder string, events, rounds int) (err error) {
	if events < 1 || rounds < 1 {
		return errors.New("-events and -rounds are to be at least 1")
	}
	if folder, err = os.MkdirTemp(folder, "replay-"); err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	var rows []*row
	for i, open := range []func(string, int) ([]*peer, error){flatFile, rollcall, sqlite, parts} {
		dir := filepath.Join(folder, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		peers, err := open(dir, events)
		for _, p := range peers {
			defer p.close()
			rows = append(rows, &row{peer: p})
		}
		if err != nil {
			return err
		}
	}
	for range rounds {
		for _, r := range rows {
			if err := r.round(rows[0].result); err != nil {
				return fmt.Errorf("%s: %w", r.peer.name, err)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Compare(order(a), order(b)) })
	return print(rows)
}

// order puts the parts behind what is compared.
func order(r *row) int {
	if r.peer.part {
		return 1
	}
	return 0
}

// row is what came out for one peer.
type row struct {
	peer   *peer
	result result
	rates  []float64 // events a second, of each round
	times  []float64 // nanoseconds of processor time an event, of each round
}

// round replays once; what is folded must come to the same as with the first peer.
func (r *row) round(want result) error {
	runtime.GC() // what the one in front has left is not on this one's account
	before, start := processorTime(), time.Now()
	got, err := r.peer.replay()
	elapsed, processor := time.Since(start), processorTime()-before
	if err != nil {
		return err
	}
	if r.peer.part {
		want.live, want.inReach, got.live, got.inReach = 0, 0, 0, 0
	}
	if want != (result{}) && got != want {
		return fmt.Errorf("it comes to %+v, the first to %+v", got, want)
	}
	r.result = got
	r.rates = append(r.rates, float64(got.events)/elapsed.Seconds())
	r.times = append(r.times, float64(processor)/float64(got.events))
	return nil
}

func print(rows []*row) error {
	flat := median(rows[0].rates)
	fmt.Printf("%d events, %d processors, %d rounds\n\n", rows[0].result.events, runtime.GOMAXPROCS(0), len(rows[0].rates))
	fmt.Println("| | M events/s | of the flat file | best | ns of processor time an event | bytes an event |\n|---|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		size, err := r.peer.size()
		if err != nil {
			return err
		}
		bytes := "–"
		if size > 0 {
			bytes = fmt.Sprintf("%.1f", float64(size)/float64(r.result.events))
		}
		rate := median(r.rates)
		fmt.Printf("| %s | %.1f | %.2f | %.1f | %.0f | %s |\n", r.peer.name, rate/1e6, rate/flat, slices.Max(r.rates)/1e6, median(r.times), bytes)
	}
	return nil
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no other way to fail than a wrong argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
