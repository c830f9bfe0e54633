package listen

import (
	"log/slog"
	"sync"
	"time"
)

// DefaultInterval is how often one kind of trouble is logged at most.
const DefaultInterval = 10 * time.Second

// Tally counts troubles by kind and logs each kind once an interval: the first
// at once, the others together when the interval ends. It is safe for
// concurrent use.
type Tally struct {
	log      *slog.Logger
	interval time.Duration

	mu     sync.Mutex
	kinds  map[string]*kind
	closed bool
}

type kind struct {
	total      uint64
	unreported uint64
	last       []any
	timer      *time.Timer // runs while reports are held back
}

// NewTally gives a tally that logs to log.
func NewTally(log *slog.Logger, interval time.Duration) *Tally {
	return &Tally{log: log, interval: interval, kinds: make(map[string]*kind)}
}

// Add counts one trouble. what is the log line and the kind, so it comes from a
// small fixed set; args are slog arguments that describe this one case.
func (t *Tally) Add(what string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.kinds[what]
	if k == nil {
		k = &kind{}
		t.kinds[what] = k
	}
	k.total++
	k.unreported++
	k.last = args
	if k.timer == nil {
		t.report(what, k)
	}
}

// report logs what is unreported and holds back the next report. t.mu is held.
func (t *Tally) report(what string, k *kind) {
	t.log.Warn(what, append([]any{"count", k.unreported, "total", k.total}, k.last...)...)
	k.unreported, k.last = 0, nil
	if !t.closed {
		k.timer = time.AfterFunc(t.interval, func() { t.due(what, k) })
	}
}

func (t *Tally) due(what string, k *kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k.timer = nil
	if k.unreported > 0 && !t.closed {
		t.report(what, k)
	}
}

// Totals gives how often each kind was counted.
func (t *Tally) Totals() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	totals := make(map[string]uint64, len(t.kinds))
	for what, k := range t.kinds {
		totals[what] = k.total
	}
	return totals
}

// Flush logs what is held back and stops the timers. Add goes on working and
// logs every trouble at once.
func (t *Tally) Flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for what, k := range t.kinds {
		if k.timer != nil {
			k.timer.Stop()
			k.timer = nil
		}
		if k.unreported > 0 {
			t.report(what, k)
		}
	}
}
