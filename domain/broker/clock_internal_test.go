package broker

import (
	"testing"
	"testing/synctest"
	"time"
)

// setClock is a clock that is wrong by so much.
type setClock struct {
	SystemClock
	by time.Duration
}

func (c *setClock) Now() time.Time { return time.Now().Add(c.by) }

// TestTimeFollowsTheClockEvenly has the clock be set, and looks once a second.
func TestTimeFollowsTheClockEvenly(t *testing.T) {
	for name, by := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &setClock{}
				steady := newSteadyClock(clock)
				time.Sleep(time.Hour)
				if got := steady.Now().Sub(clock.Now()); got != 0 {
					t.Errorf("beside a clock that is right it is off by %v", got)
				}
				clock.by = by
				took, last := 0, steady.Now()
				for ; took < 5*3600 && !steady.Now().Equal(clock.Now()); took++ {
					time.Sleep(time.Second)
					now := steady.Now()
					if passed := now.Sub(last); passed < 750*time.Millisecond || passed > 1250*time.Millisecond {
						t.Fatalf("in a second %v passed", passed)
					}
					last = now
				}
				if took != 4*3600 {
					t.Errorf("after %d seconds it is where the clock is, want 4 hours", took)
				}
			})
		})
	}
}
