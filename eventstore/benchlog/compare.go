package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// row is what came out for one peer.
type row struct {
	peer   *peer
	dir    string
	events int
	rounds []round
	syncs  float64 // for each event; below zero where nobody counted
	empty  int64   // bytes of the files before the first event
	grown  int64   // by how many they have grown
}

// round is what came out in one round.
type round struct {
	rate     float64 // events a second
	p50, p99 time.Duration
	device   float64 // bytes for each event
}

// compare lets every peer write in turn, round by round, in an order drawn for each
// round: what a peer leaves for the device to do meets all the others.
func compare(ctx context.Context, o options, writers int) (rows []*row, err error) {
	rows, err = openRows(o, writers)
	defer func() {
		for _, r := range rows {
			err = errors.Join(err, r.peer.close())
		}
	}()
	for range o.rounds {
		for _, turn := range rand.Perm(len(rows)) {
			if err == nil {
				err = awaitQuiet(ctx, o.quiet)
			}
			if err == nil {
				err = rows[turn].round(writers, o.duration)
			}
		}
	}
	for _, r := range rows {
		if err == nil {
			err = r.settle()
		}
	}
	for _, r := range rows {
		if err == nil {
			r.syncs, err = countSyncs(ctx, o, r.peer.name, writers)
		}
	}
	return rows, err
}

// openRows opens every peer that is installed and wanted.
func openRows(o options, writers int) (rows []*row, err error) {
	for i, m := range makers {
		if i > 0 && !wanted(m.name, o.only) {
			continue
		}
		r, err := openRow(m, filepath.Join(o.folder, fmt.Sprintf("%d-%d", writers, i)))
		if err != nil {
			return rows, fmt.Errorf("%s: %w", m.name, err)
		}
		if r != nil {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// openRow opens a peer in a new folder; nil where it is not installed.
func openRow(m maker, dir string) (*row, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	p, err := m.open(dir)
	if p == nil || err != nil {
		return nil, err
	}
	p.name = m.name
	r := &row{peer: p, dir: dir}
	err = r.settle()
	r.empty = r.grown
	return r, err
}

func wanted(name, only string) bool {
	return slices.ContainsFunc(strings.Split(only, ","), func(beginning string) bool { return strings.HasPrefix(name, beginning) })
}

// settle brings a peer's files into the form in which they rest.
func (r *row) settle() error {
	if r.peer.settle != nil {
		if err := r.peer.settle(); err != nil {
			return fmt.Errorf("%s: %w", r.peer.name, err)
		}
	}
	now, err := size(r.dir)
	r.grown = now - r.empty
	return err
}

// round has so many writers write one event after the other.
func (r *row) round(writers int, duration time.Duration) error {
	before, err := written(r.dir)
	if err != nil {
		return err
	}
	first, start := r.events, time.Now()
	took, err := r.write(writers, duration)
	if err != nil {
		return fmt.Errorf("%s: %w", r.peer.name, err)
	}
	slices.Sort(took)
	elapsed := time.Since(start).Seconds()
	after, err := written(r.dir)
	slices.Sort(took)
	events := float64(r.events - first)
	r.rounds = append(r.rounds, round{
		rate:   events / elapsed,
		p50:    took[len(took)/2],
		p99:    took[len(took)*99/100],
		device: float64(after-before) / events,
	})
	return err
}

// write gives how long each event took from asking to the answer.
func (r *row) write(writers int, duration time.Duration) (all []time.Duration, err error) {
	next := atomic.Int64{}
	next.Store(int64(r.events))
	ask := func() error { return r.peer.commit(int(next.Add(1)), 1) }
	if !r.peer.direct {
		g := newGatherer(&next, r.peer.commit)
		defer g.stop()
		ask = g.ask
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	until := time.Now().Add(duration)
	for range writers {
		wg.Go(func() {
			took, problem := repeat(ask, until)
			mu.Lock()
			defer mu.Unlock()
			all, err = append(all, took...), errors.Join(err, problem)
		})
	}
	wg.Wait()
	r.events = int(next.Load())
	return all, err
}

func repeat(ask func() error, until time.Time) (took []time.Duration, err error) {
	for asked := time.Now(); err == nil && asked.Before(until); {
		err = ask()
		now := time.Now()
		took = append(took, now.Sub(asked))
		asked = now
	}
	return took, err
}
