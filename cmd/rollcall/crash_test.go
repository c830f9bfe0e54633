package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/domain"
)

// crashRounds is how often the appliance is killed; `make crash` asks for more.
func crashRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ROLLCALL_CRASH_ROUNDS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

const (
	crashSeats   = 4
	crashDevices = 6
)

// TestCrashLosesNothingThatWasAnswered kills the appliance with SIGKILL while
// devices log in and out, starts it again, and compares what devices were told
// with what the log holds.
func TestCrashLosesNothingThatWasAnswered(t *testing.T) {
	h := newHouse(t)
	devices := crashHouse(t, h)
	told := newWitness()
	for round := range crashRounds(t) {
		load(t, devices, told, func() {
			time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond) // the moment of the crash is what the test is about
			h.serve.kill()
		})
		h.open()
		live := told.verify(t, h.operator())
		comeBack(t, devices, live)
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
	t.Logf("%d logins were answered, %d logouts", len(told.accepted), len(told.ended))
	h.shut()
}

// crashDevice is a device that logs in and out.
type crashDevice struct{ name, path string }

// crashHouse makes a house with so many devices that come and go, and its
// appliance running.
func crashHouse(t *testing.T, h *house) (devices []*crashDevice) {
	t.Helper()
	h.rollcall("service", "set", "office", "--kind", "local", "--max-sessions", fmt.Sprint(crashSeats), "--idle-timeout", "1s")
	h.open()
	for i := range crashDevices {
		name := fmt.Sprintf("d%d", i)
		h.addUsers(name)
		devices = append(devices, &crashDevice{name: name, path: h.join(name, "office:"+name)})
	}
	return devices
}

// load has every device log in and out until harm has come to the appliance, and
// waits until all have noticed.
func load(t *testing.T, devices []*crashDevice, told *witness, harm func()) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for _, device := range devices {
		all.Go(func() { device.play(ctx, t, told) })
	}
	harm()
	cancel()
	all.Wait()
}

func (d *crashDevice) open(t *testing.T) (*device.Identity, *device.Client) {
	identity, err := device.OpenIdentity(d.path)
	if err != nil {
		t.Errorf("%s: %v", d.name, err)
		return nil, nil
	}
	return identity, device.NewClient(identity, device.Options{FirstPause: 20 * time.Millisecond, LongestPause: 200 * time.Millisecond})
}

// play logs in and out until the appliance is gone. Every third session is kept
// until then.
func (d *crashDevice) play(ctx context.Context, t *testing.T, told *witness) {
	identity, client := d.open(t)
	if identity == nil {
		return
	}
	defer identity.Close()
	for ctx.Err() == nil {
		s, err := client.Login(ctx, "office", d.name, "pw-"+d.name)
		var rejected *device.RejectedError
		switch {
		case errors.As(err, &rejected) && rejected.Code == domain.RejectServerBusy:
			told.note(told.busy, rejected.Session)
			sleepFor(ctx, 10*time.Millisecond)
			continue
		case err != nil:
			if ctx.Err() == nil {
				sleepFor(ctx, 10*time.Millisecond) // the appliance is being killed
			}
			continue
		}
		told.note(told.accepted, s.ID())
		d.hold(ctx, s, told)
	}
}

func (d *crashDevice) hold(ctx context.Context, s *device.Session, told *witness) {
	keep := rand.IntN(3) == 0
	if !keep {
		s.Logout()
	}
	if err := s.Run(ctx, device.Handler{}); err == nil {
		told.note(told.ended, s.ID())
	}
}

func sleepFor(ctx context.Context, d time.Duration) { _ = sleep(ctx, d) } // the caller looks at ctx

// witness is what devices were told, by session.
type witness struct {
	seats    int // how many there may be at any position
	mu       sync.Mutex
	accepted map[domain.SessionID]bool
	ended    map[domain.SessionID]bool
	busy     map[domain.SessionID]bool
}

func newWitness() *witness {
	return &witness{
		seats:    crashSeats,
		accepted: make(map[domain.SessionID]bool),
		ended:    make(map[domain.SessionID]bool),
		busy:     make(map[domain.SessionID]bool),
	}
}

func (o *witness) note(in map[domain.SessionID]bool, id domain.SessionID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in[id] = true
}

// verify reads the log of the restarted appliance: no gap, nothing missing that
// was answered, never too many seats, and counts that are those of the log. It
// gives the sessions that live.
func (o *witness) verify(t *testing.T, op *control.Client) map[domain.SessionID]bool {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	seats, live := make(map[domain.SessionID]bool), make(map[domain.SessionID]bool)
	events := make(map[string]map[domain.SessionID]bool)
	var next domain.Position = 1
	for row, err := range op.Audit(t.Context(), control.AuditFilter{}) {
		check(t, err)
		if row.Position != next {
			t.Errorf("position %d follows %d", row.Position, next-1)
		}
		next = row.Position + 1
		if events[row.Type] == nil {
			events[row.Type] = make(map[domain.SessionID]bool)
		}
		events[row.Type][row.Session] = true
		switch row.Type {
		case "login-admitted":
			seats[row.Session] = true
		case "login-accepted":
			live[row.Session] = true
		case "login-rejected", "session-ended", "session-idled-out":
			delete(seats, row.Session)
			delete(live, row.Session)
		}
		if len(seats) > o.seats {
			t.Errorf("position %d: %d seats are taken", row.Position, len(seats))
		}
	}
	for what, ids := range map[string]map[domain.SessionID]bool{"login-accepted": o.accepted, "session-ended": o.ended, "login-rejected": o.busy} {
		for id := range ids {
			if !events[what][id] {
				t.Errorf("a device was told %s of session %d, and the log does not have it", what, id)
			}
		}
	}
	compareCounts(t, op, live)
	return live
}

func compareCounts(t *testing.T, op *control.Client, live map[domain.SessionID]bool) {
	t.Helper()
	counts, err := op.Count(t.Context())
	check(t, err)
	sessions, err := op.Sessions(t.Context())
	check(t, err)
	if int(counts[0].Seats) != len(live) || len(sessions) != len(live) {
		t.Errorf("%d seats and %d sessions, and the log has %d live", counts[0].Seats, len(sessions), len(live))
	}
	for _, s := range sessions {
		if !live[s.ID] {
			t.Errorf("session %d is listed, and not live by the log", s.ID)
		}
	}
}

// comeBack has every device resume what its identity holds, and checks that it
// can wherever the log has the session.
func comeBack(t *testing.T, devices []*crashDevice, live map[domain.SessionID]bool) {
	t.Helper()
	var all sync.WaitGroup
	for _, d := range devices {
		all.Go(func() {
			if err := d.resume(t, live); err != nil {
				t.Errorf("%s: %v", d.name, err)
			}
		})
	}
	all.Wait()
}

func (d *crashDevice) resume(t *testing.T, live map[domain.SessionID]bool) error {
	identity, client := d.open(t)
	if identity == nil {
		return nil
	}
	defer identity.Close()
	if !slices.ContainsFunc(identity.Sessions(), func(s device.SavedSession) bool { return live[s.Session] }) {
		return nil
	}
	s, err := client.Resume("office")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("it did not come back into coverage"))
	defer cancel()
	back := false
	err = s.Run(ctx, device.Handler{Coverage: func(covered bool, _ error) {
		if covered {
			back = true
			cancel()
		}
	}})
	if !back {
		return fmt.Errorf("session %d did not resume: %w (%w)", s.ID(), err, context.Cause(ctx))
	}
	return nil
}
