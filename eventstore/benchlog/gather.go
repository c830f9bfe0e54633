package main

import (
	"sync"
	"sync/atomic"
)

// gatherer commits what has gathered while the last commit was under way. A
// writer who finds nobody committing commits by itself; what comes meanwhile
// is left to a goroutine, so that no writer works for others.
type gatherer struct {
	next   *atomic.Int64
	commit func(first, n int) error

	mu      sync.Mutex
	busy    bool // somebody commits
	waiting []chan error

	wake    chan struct{} // hands over being busy
	stopped sync.WaitGroup
}

func newGatherer(next *atomic.Int64, commit func(first, n int) error) *gatherer {
	g := &gatherer{next: next, commit: commit, wake: make(chan struct{}, 1)}
	g.stopped.Go(func() {
		for range g.wake {
			for g.commitWaiting() {
			}
		}
	})
	return g
}

func (g *gatherer) ask() error {
	g.mu.Lock()
	if g.busy {
		answer := answers.Get().(chan error)
		g.waiting = append(g.waiting, answer)
		g.mu.Unlock()
		defer answers.Put(answer)
		return <-answer
	}
	g.busy = true
	g.mu.Unlock()
	err := g.commit(int(g.next.Add(1)), 1)
	if g.more() {
		g.wake <- struct{}{}
	}
	return err
}

var answers = sync.Pool{New: func() any { return make(chan error, 1) }}

// more tells whether somebody waits; if not, nobody is busy any more.
func (g *gatherer) more() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = len(g.waiting) > 0
	return g.busy
}

func (g *gatherer) commitWaiting() bool {
	g.mu.Lock()
	batch := g.waiting
	g.waiting = make([]chan error, 0, len(batch))
	g.mu.Unlock()
	last := int(g.next.Add(int64(len(batch))))
	err := g.commit(last-len(batch)+1, len(batch))
	for _, answer := range batch {
		answer <- err
	}
	return g.more()
}

func (g *gatherer) stop() {
	close(g.wake)
	g.stopped.Wait()
}
