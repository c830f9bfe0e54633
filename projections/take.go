package projections

import (
	"runtime"
	"sync"
	"sync/atomic"

	"rollcall/domain"
)

// apartRecords is from how many records on the views are folded beside each other.
const apartRecords = 1 << 10

// take folds records into every view. s.mu is held.
func (s *Set) take(records []domain.Record) {
	beside(len(s.makers), len(records), func(i int) { s.takeInto(s.makers[i], records) })
}

// beside does n pieces of work, each about so many records, beside each other where
// that is worth while.
func beside(n, records int, do func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if records < apartRecords || workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int32
	var running sync.WaitGroup
	work := func() {
		for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
			do(i - 1)
		}
	}
	for range workers - 1 {
		running.Go(work)
	}
	work()
	running.Wait()
}

// takeInto folds records into one view, up to one at which it stops.
func (s *Set) takeInto(m *liveMaker, records []domain.Record) {
	if m.stopped != nil {
		return
	}
	if err := m.takeAll(records); err != nil {
		m.stopped = &StoppedError{Projection: m.projection.Name, Position: m.cursor, Err: err}
		s.logger.Error("a projection has stopped; the others go on", "projection", m.projection.Name, "position", m.cursor, "error", err)
	}
}
