package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rollcall/adapters/control"
	"rollcall/adapters/local"
)

// crowd is a number of devices that stay logged in, whatever happens. They are in
// processes of their own, see [playCrowd].
type crowd struct {
	*house
	names     []string
	processes []*process
	sessions  map[string]string      // the first one of each device, by its name
	covered   map[string][]time.Time // when each came into coverage
	read      []int                  // lines of each process so far
}

// crowdSize is how many there are; `make torture` asks for many.
func crowdSize() int {
	if os.Getenv("ROLLCALL_TORTURE") != "" {
		return 10000
	}
	return 100
}

// newCrowd enrols devices of the built-in service and has them log in and stay.
func newCrowd(t *testing.T, h *house, size int) *crowd {
	t.Helper()
	c := &crowd{house: h, sessions: make(map[string]string), covered: make(map[string][]time.Time)}
	store, err := local.OpenStore(filepath.Join(h.data, accountsFile), local.CheapCost)
	check(t, err)
	var accounts []local.NewAccount
	for i := range size {
		c.names = append(c.names, fmt.Sprintf("c%d", i))
		accounts = append(accounts, local.NewAccount{Name: c.names[i], Password: crowdPassword})
	}
	check(t, store.Add(accounts...))
	offers := c.enrol(t)
	for from := 0; from < size; from += crowdProcess {
		p := startAs(t, nil, "crowd", "crowd", t.TempDir())
		for i := from; i < min(from+crowdProcess, size); i++ {
			p.say(c.names[i] + " " + offers[i])
		}
		c.processes = append(c.processes, p)
	}
	c.read = make([]int, len(c.processes))
	return c
}

// enrol gives an enrolment string for each device, a few made at a time.
func (c *crowd) enrol(t *testing.T) []string {
	t.Helper()
	op := c.operator()
	offers := make([]string, len(c.names))
	var all errgroup.Group
	all.SetLimit(16)
	for i, name := range c.names {
		all.Go(func() error {
			offer, err := op.EnrolDevice(t.Context(), control.Enrolment{Person: name, Accounts: []control.Account{{Service: "office", Account: name}}, ValidFor: control.Duration(time.Hour)})
			offers[i] = offer.String
			return err
		})
	}
	check(t, all.Wait())
	return offers
}

// hear takes in what the devices have told since the last time.
func (c *crowd) hear(t *testing.T) {
	t.Helper()
	for i, p := range c.processes {
		lines, _ := p.output()
		for _, line := range lines[c.read[i]:] {
			c.take(t, line)
		}
		c.read[i] = len(lines)
	}
}

// take takes in one line: WORD NAME NUMBER, or a complaint.
func (c *crowd) take(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	switch {
	case len(words) == 3 && words[0] == "entered":
		c.sessions[words[1]] = words[2]
	case len(words) == 3 && words[0] == "covered":
		at, err := strconv.ParseInt(words[2], 10, 64)
		check(t, err)
		c.covered[words[1]] = append(c.covered[words[1]], time.Unix(0, at))
	default:
		t.Fatalf("a device of the crowd says: %s", line)
	}
}

// back gives when each device came back after a moment, the first first; those
// that did not are missing.
func (c *crowd) back(t *testing.T, after time.Time) (all []time.Duration) {
	t.Helper()
	c.hear(t)
	for _, covered := range c.covered {
		if i := slices.IndexFunc(covered, func(at time.Time) bool { return at.After(after) }); i >= 0 {
			all = append(all, covered[i].Sub(after))
		}
	}
	slices.Sort(all)
	return all
}

// awaitBack waits until every device is back.
func (c *crowd) awaitBack(t *testing.T, after time.Time) []time.Duration {
	t.Helper()
	deadline := time.Now().Add(patience + time.Duration(len(c.names))*20*time.Millisecond)
	for {
		all := c.back(t, after)
		if len(all) == len(c.names) {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d devices have come back", len(all), len(c.names))
		}
		sleepFor(t.Context(), 50*time.Millisecond)
	}
}

// aRamp checks that a crowd came back as a ramp: never too many in one second,
// and the last as soon as the rate of logins upstream allows.
func aRamp(t *testing.T, all []time.Duration) {
	t.Helper()
	if most := slices.Max(perSecond(all)); most > busiestSecond {
		t.Errorf("%d devices came back within one second, want at most %d", most, busiestSecond)
	}
	last, most := all[len(all)-1], time.Duration(len(all))*time.Second/200+rampSlack
	if last > most {
		t.Errorf("the last device of %d came back after %v, want %v at most", len(all), last, most)
	}
}

const (
	// busiestSecond is how many devices may come back in one second: twice the
	// rate of logins upstream, and those who are let in at once.
	busiestSecond = 500
	// rampSlack is what the start of the appliance and the devices' own pauses
	// take, on a machine with other work.
	rampSlack = 20 * time.Second
)

// perSecond counts how many came in each second.
func perSecond(all []time.Duration) []int {
	counts := make([]int, int(all[len(all)-1]/time.Second)+1)
	for _, d := range all {
		counts[int(d/time.Second)]++
	}
	return counts
}

// histogram draws how many came in each second.
func histogram(all []time.Duration) string {
	var b strings.Builder
	counts := perSecond(all)
	most := slices.Max(counts)
	for second, n := range counts {
		fmt.Fprintf(&b, "\n%3d s %5d %s", second, n, strings.Repeat("#", n*50/most))
	}
	return b.String()
}

// TestManySessionsOutliveTheAppliance kills the appliance under many live sessions
// and stops it once more: everybody comes back without doing anything, to the seat
// that was kept, and as a ramp.
func TestManySessionsOutliveTheAppliance(t *testing.T) {
	size := crowdSize()
	h := newHouse(t)
	h.more = []string{"ROLLCALL_ROUTER_EXEMPT=127.0.0.0/8", "ROLLCALL_TIMING_COVERAGE_GRACE=2s"} // the whole crowd has one address
	h.rollcall("service", "set", "office", "--kind", "local", "--max-sessions", fmt.Sprint(size), "--option", "roster=nobody")
	h.open()
	began := time.Now()
	c := newCrowd(t, h, size)
	c.awaitBack(t, began)

	for _, end := range []struct {
		name string
		stop func()
	}{{"killed", h.serve.kill}, {"stopped", func() { h.shut() }}} {
		gone := time.Now()
		end.stop()
		h.open()
		all := c.awaitBack(t, gone)
		t.Logf("the appliance was %s under %d sessions; devices came back after:%s", end.name, size, histogram(all))
		aRamp(t, all)
		c.kept(t)
	}
	for _, p := range c.processes {
		check(t, p.stdin.Close())
		p.wantExit(exitOK)
	}
	// Nobody was asked: all logins are those of the beginning.
	if n := strings.Count(h.rollcall("audit", "log", "--type", "login-requested", "-o", "json"), "\n") + 1; n != size {
		t.Errorf("the log has %d logins of %d devices", n, size)
	}
	h.shut()
}

// kept waits until the sessions that the appliance has are those that the devices
// began, in coverage.
func (c *crowd) kept(t *testing.T) {
	t.Helper()
	op := c.operator()
	check(t, eventually(t.Context(), func() error {
		sessions, err := op.Sessions(t.Context())
		if err != nil || len(sessions) != len(c.names) {
			return fmt.Errorf("%d sessions of %d devices: %w", len(sessions), len(c.names), err)
		}
		covered := make(map[string]bool)
		for _, s := range sessions {
			covered[fmt.Sprint(s.Account, " ", s.ID)] = s.State == control.StateCovered
		}
		for name, session := range c.sessions {
			if !covered[name+" "+session] {
				return fmt.Errorf("session %s of %s is not in coverage", session, name)
			}
		}
		return nil
	}))
}
