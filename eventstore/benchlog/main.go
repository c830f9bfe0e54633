package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	duration := flag.Duration("for", time.Second, "how long each peer writes in each round")
	rounds := flag.Int("rounds", 5, "how many rounds")
	widths := flag.String("writers", "1,16,256", "how many write at once")
	only := flag.String("only", "", "which peers beside the limit, by the beginning of their names; all if empty")
	folder := flag.String("folder", "", "where to write; a new folder for the time being if empty")
	flag.Parse()
	if err := run(*folder, *only, *widths, *rounds, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "benchlog:", err)
		os.Exit(1)
	}
}

func run(folder, only, widths string, rounds int, duration time.Duration) error {
	folder, err := os.MkdirTemp(folder, "benchlog-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for width := range strings.SplitSeq(widths, ",") {
		writers, err := strconv.Atoi(width)
		if err != nil || writers < 1 {
			return fmt.Errorf("-writers %s: %q is no number of writers", widths, width)
		}
		rows, err := compare(folder, only, writers, rounds, duration)
		if err != nil {
			return err
		}
		print(rows, writers)
	}
	return nil
}

func wanted(name, only string) bool {
	return slices.ContainsFunc(strings.Split(only, ","), func(beginning string) bool { return strings.HasPrefix(name, beginning) })
}

// row is what came out for one peer.
type row struct {
	peer    *peer
	dir     string
	events  int
	rates   []float64       // events a second, of each round
	took    []time.Duration // from asking to the answer, of some events
	device  int64           // bytes
	resting int64
}

// compare lets every peer write in turn, round by round.
func compare(folder, only string, writers, rounds int, duration time.Duration) (rows []*row, err error) {
	for i, open := range makers {
		dir := filepath.Join(folder, fmt.Sprintf("%d-%d", writers, i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		p, err := open(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if p == nil {
			continue
		}
		defer p.close()
		if i > 0 && !wanted(p.name, only) {
			continue
		}
		rows = append(rows, &row{peer: p, dir: dir})
	}
	for range rounds {
		for _, r := range rows {
			if err := r.round(writers, duration); err != nil {
				return nil, fmt.Errorf("%s: %w", r.peer.name, err)
			}
		}
	}
	for _, r := range rows {
		if r.peer.settle != nil {
			err = r.peer.settle()
		}
		var problem error
		if r.resting, problem = atRest(r.dir); err != nil || problem != nil {
			return nil, errors.Join(err, problem)
		}
	}
	return rows, nil
}

// round has so many writers write one event after the other.
func (r *row) round(writers int, duration time.Duration) error {
	before, err := written(r.dir)
	if err != nil {
		return err
	}
	first := r.events
	next := atomic.Int64{}
	next.Store(int64(first))
	ask := func() error { return r.peer.commit(int(next.Add(1)), 1) }
	var gather *gatherer
	if !r.peer.direct {
		gather = newGatherer(&next, r.peer.commit)
		ask = gather.ask
	}
	start := time.Now()
	err = r.write(writers, start.Add(duration), ask)
	elapsed := time.Since(start)
	if gather != nil {
		gather.stop()
	}
	r.events = int(next.Load())
	r.rates = append(r.rates, float64(r.events-first)/elapsed.Seconds())
	after, problem := written(r.dir)
	r.device += after - before
	return errors.Join(err, problem)
}

func (r *row) write(writers int, until time.Time, ask func() error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range writers {
		wg.Go(func() {
			var took []time.Duration
			var err error
			for asked := time.Now(); err == nil && asked.Before(until); {
				err = ask()
				now := time.Now()
				took = append(took, now.Sub(asked))
				asked = now
			}
			mu.Lock()
			defer mu.Unlock()
			r.took = append(r.took, took...)
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	return failed
}

// gatherer commits what has gathered while the last commit was under way.
type gatherer struct {
	asked   chan chan error
	stopped sync.WaitGroup
}

func newGatherer(next *atomic.Int64, commit func(first, n int) error) *gatherer {
	g := &gatherer{asked: make(chan chan error, 1024)}
	g.stopped.Go(func() {
		var batch []chan error
		for one := range g.asked {
			batch = append(batch[:0], one)
			for len(g.asked) > 0 {
				batch = append(batch, <-g.asked)
			}
			last := int(next.Add(int64(len(batch))))
			err := commit(last-len(batch)+1, len(batch))
			for _, answer := range batch {
				answer <- err
			}
		}
	})
	return g
}

var answers = sync.Pool{New: func() any { return make(chan error, 1) }}

func (g *gatherer) ask() error {
	answer := answers.Get().(chan error)
	defer answers.Put(answer)
	g.asked <- answer
	return <-answer
}

func (g *gatherer) stop() {
	close(g.asked)
	g.stopped.Wait()
}

func print(rows []*row, writers int) {
	limit := median(rows[0].rates)
	fmt.Printf("\n%d writers:\n\n| | events/s | of the limit | p50 | p99 | p99.9 | device bytes/event | bytes/event at rest |\n|---|--:|--:|--:|--:|--:|--:|--:|\n", writers)
	for i, r := range rows {
		slices.Sort(r.took)
		rate := median(r.rates)
		device, resting := fmt.Sprint(r.device/int64(r.events)), fmt.Sprintf("%.1f", float64(r.resting)/float64(r.events))
		if i == 0 {
			resting = "–" // it is of a fixed size
		}
		fmt.Printf("| %s | %.0f | %.2f | %v | %v | %v | %s | %s |\n", r.peer.name, rate, rate/limit, r.quantile(0.5), r.quantile(0.99), r.quantile(0.999), device, resting)
	}
}

func (r *row) quantile(q float64) time.Duration {
	return r.took[int(q*float64(len(r.took)-1))].Round(10 * time.Microsecond)
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
