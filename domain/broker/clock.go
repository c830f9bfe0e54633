package broker

import (
	"sync"
	"time"
)

// SystemClock is the machine's clock.
type SystemClock struct{}

// started is any moment that does not move.
var started = time.Now()

// Now gives the current time.
func (SystemClock) Now() time.Time { return time.Now() }

// Elapsed gives the time since some moment, as it passes.
func (SystemClock) Elapsed() time.Duration { return time.Since(started) }

// AfterFunc is time.AfterFunc.
func (SystemClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// steadyClock is the broker's time. It begins with the clock's, and then goes on as
// time passes: were it to step with a clock that is set, every device in coverage
// would seem silent, or nothing would come to its end until the clock is back where it
// was. It follows the clock at a pace that no device is silent for. It is safe for
// concurrent use.
type steadyClock struct {
	Clock

	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration // when it was now
}

// steadyPace is how much faster or slower than time passes a steadyClock goes in order
// to be where the clock is: one part in so many.
const steadyPace = 4

func newSteadyClock(c Clock) *steadyClock {
	return &steadyClock{Clock: c, now: c.Now().Round(0), elapsed: c.Elapsed()}
}

// Now gives the broker's time.
func (c *steadyClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := c.Elapsed() - c.elapsed
	c.elapsed += passed
	c.now = c.now.Add(passed)
	most := passed / steadyPace
	c.now = c.now.Add(min(max(c.Clock.Now().Sub(c.now), -most), most))
	return c.now
}

// notBefore has the time go on from t where that is later: the log has come to it.
func (c *steadyClock) notBefore(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = later(c.now, t)
}
