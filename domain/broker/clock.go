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

// steadyClock is the broker's time. It begins with the clock's and follows it, but never
// goes back: where the clock was set back, it goes on as time passes, and somewhat more
// slowly until the clock has caught up. So what is due comes due.
//
// Where the clock was set forward, or the machine slept, the time goes with it at once,
// so that records have the right one, and notes that there was a step: nobody in coverage
// has been silent for longer because of that. It is safe for concurrent use.
type steadyClock struct {
	Clock

	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration // when it was now
	stepped bool          // since somebody asked
}

const (
	// steadyPace is how much faster or slower than time passes a steadyClock goes in
	// order to be where the clock is: one part in so many.
	steadyPace = 4
	// steadyStep is from how far ahead on a clock is not followed at that pace.
	steadyStep = 2 * time.Second
)

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
	ahead, most := c.Clock.Now().Sub(c.now), passed/steadyPace
	if ahead >= steadyStep {
		c.stepped, most = true, ahead
	}
	c.now = c.now.Add(min(max(ahead, -most), most))
	return c.now
}

// Read is Now, and tells whether there has been a step since it was last called.
func (c *steadyClock) Read() (now time.Time, stepped bool) {
	now = c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	stepped, c.stepped = c.stepped, false
	return now, stepped
}

// notBefore has the time go on from t where that is later: the log has come to it.
func (c *steadyClock) notBefore(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = later(c.now, t)
}
