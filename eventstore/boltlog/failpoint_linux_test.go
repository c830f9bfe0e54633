package boltlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// runBusy runs a busy process, and gives what it was told to be durable and whether
// it was killed.
func runBusy(t *testing.T, cmd *exec.Cmd) (durable eventstore.Position, killed bool) {
	t.Helper()
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		killed = true
	} else if err != nil {
		t.Fatalf("%v: %s", err, &problems)
	}
	for line := range strings.Lines(out.String()) {
		if p, err := strconv.ParseUint(strings.TrimSuffix(line, "\n"), 10, 64); err == nil && strings.HasSuffix(line, "\n") {
			durable = eventstore.Position(p)
		}
	}
	return durable, killed
}

// Wherever a process is killed, and the next one while it opens what that has left,
// what was durable is there, and the log goes on.
func TestKillAtFailpoints(t *testing.T) {
	counts := []int{1}
	if torture {
		counts = []int{1, 2, 3, 4, 5, 8, 13, 21, 34, 55}
	}
	for _, place := range failpoint.All() {
		if slices.Contains(compactPlaces, place) {
			continue // TestKillCompact
		}
		for _, count := range counts {
			t.Run(fmt.Sprintf("%s:%d", place, count), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				var before eventstore.Position
				if strings.HasPrefix(place, "recover-") {
					before = tornLog(t, dir)
				}
				cmd := child(t, "busy", dir)
				cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%s:%d", envFailpoint, place, count))
				durable, killed := runBusy(t, cmd)
				if !killed && count == 1 {
					t.Errorf("the process never came to %s", place)
				}
				if killed {
					killNextStart(t, dir, 1+len(place)%4, max(before, durable))
				}
				wantBusyLog(t, dir, max(before, durable))
			})
		}
	}
}

// killNextStart kills a process that opens what a killed one has left, at the nth
// place it comes to, or, in the long form, at each, on a copy each time.
func killNextStart(t *testing.T, dir string, nth int, durable eventstore.Position) {
	t.Helper()
	from, to := nth, nth
	if torture {
		from, to = 1, 100
	}
	for n := from; n <= to; n++ {
		again := copied(t, dir)
		if !dies(t, "open", again, fmt.Sprint(anyPlace, ":", n)) {
			to = n // it comes to no more
		}
		wantBusyLog(t, again, durable)
	}
}

// tornLog makes a log of which the last frame has been written in part.
func tornLog(t *testing.T, dir string) (durable eventstore.Position) {
	t.Helper()
	cmd := child(t, "busy", dir)
	cmd.Env = append(cmd.Env, envFailpoint+"="+failpoint.AppendWritten+":40")
	durable, killed := runBusy(t, cmd)
	segments, err := filepath.Glob(filepath.Join(dir, "journal", "0*"))
	if err != nil || !killed {
		t.Fatal(err, killed)
	}
	for _, name := range slices.Backward(segments) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if end := len(bytes.TrimRight(b, "\x00")); end > 512 {
			clear(b[(end-1)/512*512:]) // the last sector of the last frame
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return durable
		}
	}
	t.Fatal("there is no frame in the journal")
	return 0
}
