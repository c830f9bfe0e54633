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

// TestTimeFollowsTheClock has the clock be set, and looks once a second.
func TestTimeFollowsTheClock(t *testing.T) {
	for name, c := range map[string]struct {
		by   time.Duration
		took int // seconds until it is where the clock is
		step bool
	}{
		"forward":          {time.Hour, 1, true},
		"a little forward": {time.Second, 4, false},
		"back":             {-time.Hour, 4 * 3600, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &setClock{}
				steady := newSteadyClock(clock)
				time.Sleep(time.Hour)
				last, stepped := steady.Read()
				if off := last.Sub(clock.Now()); off != 0 || stepped {
					t.Errorf("beside a clock that is right it is off by %v, stepped %v", off, stepped)
				}
				clock.by = c.by
				took, step := 0, false
				for ; took < 5*3600 && !last.Equal(clock.Now()); took++ {
					time.Sleep(time.Second)
					now, stepped := steady.Read()
					if passed := now.Sub(last); !stepped && (passed < 750*time.Millisecond || passed > 1250*time.Millisecond) {
						t.Fatalf("in a second %v passed", passed)
					}
					last, step = now, step || stepped
				}
				if took != c.took || step != c.step {
					t.Errorf("after %d seconds it is where the clock is, stepped %v; want %d, %v", took, step, c.took, c.step)
				}
			})
		})
	}
}
