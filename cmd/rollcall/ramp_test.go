package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/adapters/local"
)

// crowd is a number of devices that stay logged in, whatever happens.
type crowd struct {
	*house
	devices []*crowdDevice
	running sync.WaitGroup
}

type crowdDevice struct {
	name     string
	identity *device.Identity
	session  *device.Session

	mu      sync.Mutex
	covered []time.Time // when it came into coverage, each time
}

// crowdSize is how many there are; `make torture` asks for many.
func crowdSize() int {
	if os.Getenv("ROLLCALL_TORTURE") != "" {
		return 5000
	}
	return 100
}

// newCrowd enrols devices of the built-in service and logs them in.
func newCrowd(t *testing.T, h *house, size int) *crowd {
	t.Helper()
	c := &crowd{house: h}
	store, err := local.OpenStore(filepath.Join(h.data, accountsFile), local.CheapCost)
	check(t, err)
	var accounts []local.NewAccount
	for i := range size {
		c.devices = append(c.devices, &crowdDevice{name: fmt.Sprintf("c%d", i)})
		accounts = append(accounts, local.NewAccount{Name: c.devices[i].name, Password: "pw"})
	}
	check(t, store.Add(accounts...))
	folder, op := t.TempDir(), h.operator()
	c.each(t, func(d *crowdDevice) error { return d.enter(t.Context(), op, filepath.Join(folder, d.name)) })
	return c
}

// each does something with every device, a few at a time.
func (c *crowd) each(t *testing.T, do func(*crowdDevice) error) {
	t.Helper()
	var all errgroup.Group
	all.SetLimit(16)
	for _, d := range c.devices {
		all.Go(func() error { return do(d) })
	}
	check(t, all.Wait())
}

// enter enrols the device and logs it in.
func (d *crowdDevice) enter(ctx context.Context, op *control.Client, path string) error {
	offer, err := op.EnrolDevice(ctx, control.Enrolment{Person: d.name, Accounts: []control.Account{{Service: "office", Account: d.name}}})
	if err != nil {
		return err
	}
	if d.identity, err = device.Join(ctx, offer.String, path, d.name, device.Options{}); err != nil {
		return err
	}
	d.session, err = device.NewClient(d.identity, device.Options{FirstPause: 500 * time.Millisecond, LongestPause: 2 * time.Second}).Login(ctx, "office", d.name, "pw")
	return err
}

// run keeps every session going until ctx ends.
func (c *crowd) run(ctx context.Context, t *testing.T) {
	for _, d := range c.devices {
		c.running.Go(func() {
			defer d.identity.Close()
			err := d.session.Run(ctx, device.Handler{Coverage: d.coverage})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", d.name, err)
			}
		})
	}
}

func (d *crowdDevice) coverage(covered bool, _ error) {
	if !covered {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.covered = append(d.covered, time.Now())
}

// back gives when each device came back after a moment, the first first; those
// that did not are missing.
func (c *crowd) back(after time.Time) (all []time.Duration) {
	for _, d := range c.devices {
		d.mu.Lock()
		if i := slices.IndexFunc(d.covered, func(at time.Time) bool { return at.After(after) }); i >= 0 {
			all = append(all, d.covered[i].Sub(after))
		}
		d.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

// awaitBack waits until every device is back.
func (c *crowd) awaitBack(t *testing.T, after time.Time) []time.Duration {
	t.Helper()
	deadline := time.Now().Add(patience + time.Duration(len(c.devices))*20*time.Millisecond)
	for {
		all := c.back(after)
		if len(all) == len(c.devices) {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d devices have come back", len(all), len(c.devices))
		}
		sleepFor(t.Context(), 50*time.Millisecond)
	}
}

// histogram draws how many came in each second.
func histogram(all []time.Duration) string {
	var b strings.Builder
	counts := make([]int, int(all[len(all)-1]/time.Second)+1)
	for _, d := range all {
		counts[int(d/time.Second)]++
	}
	most := slices.Max(counts)
	for second, n := range counts {
		fmt.Fprintf(&b, "\n%3d s %5d %s", second, n, strings.Repeat("#", n*50/most))
	}
	return b.String()
}

// TestManySessionsOutliveTheAppliance kills the appliance under many live sessions
// and stops it once more: everybody comes back without doing anything, to the seat
// that was kept.
func TestManySessionsOutliveTheAppliance(t *testing.T) {
	size := crowdSize()
	h := newHouse(t)
	h.more = []string{"ROLLCALL_ROUTER_EXEMPT=127.0.0.0/8", "ROLLCALL_TIMING_COVERAGE_GRACE=2s"} // the whole crowd has one address
	h.rollcall("service", "set", "office", "--kind", "local", "--max-sessions", fmt.Sprint(size), "--option", "roster=nobody")
	h.open()
	c := newCrowd(t, h, size)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	began := time.Now()
	c.run(ctx, t)
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
		c.kept(t)
	}
	leave()
	c.running.Wait()
	h.shut()
}

// kept waits until the sessions that the appliance has are those that the devices
// began, in coverage.
func (c *crowd) kept(t *testing.T) {
	t.Helper()
	op := c.operator()
	check(t, eventually(t.Context(), func() error {
		sessions, err := op.Sessions(t.Context())
		if err != nil || len(sessions) != len(c.devices) {
			return fmt.Errorf("%d sessions of %d devices: %w", len(sessions), len(c.devices), err)
		}
		covered := make(map[string]bool)
		for _, s := range sessions {
			covered[fmt.Sprint(s.Account, s.ID)] = s.State == control.StateCovered
		}
		for _, d := range c.devices {
			if !covered[fmt.Sprint(d.name, d.session.ID())] {
				return fmt.Errorf("session %d of %s is not in coverage", d.session.ID(), d.name)
			}
		}
		return nil
	}))
}
