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
	"sync/atomic"
	"syscall"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// torture tells whether the long forms of the tests are wanted.
var torture = os.Getenv("ROLLCALL_TORTURE") != ""

func kill() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until it comes
}

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

// Wherever a process is killed, what was durable is there, and the log goes on.
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
				wantBusyLog(t, dir, max(before, durable))
			})
		}
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

// Whichever call of the system fails, what was durable is there, a log that may
// have lost a write takes nothing more, and opened again it goes on.
func TestFaults(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
			t.Fatal("strace is needed and not installed; install the package strace")
		}
		t.Skip("strace is not installed")
	}
	faults := []string{
		"pwrite64:error=EIO", "pwrite64:error=ENOSPC",
		"fdatasync:error=EIO", "fdatasync:error=ENOSPC", "fsync:error=EIO",
		"ftruncate:error=EIO", "ftruncate:error=ENOSPC",
		"rename,renameat,renameat2:error=EIO", "rename,renameat,renameat2:error=ENOSPC",
	}
	// The second call of a thread, and every seventh after it. Some calls are so
	// few that perhaps no thread makes two: there the first fails, too.
	whens := []string{"2+7", "1"}
	if torture {
		whens = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "11", "13", "17", "23", "31", "41", "5+", "11+3", "20+2"}
	}
	injected := make(map[string]*atomic.Int64)
	t.Cleanup(func() {
		for fault, n := range injected {
			if n.Load() == 0 {
				t.Errorf("%s: no call failed; is it ever made?", fault)
			}
		}
	})
	for _, fault := range faults {
		count := new(atomic.Int64)
		injected[fault] = count
		for _, when := range whens {
			t.Run(fault+":when="+when, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				traced := child(t, "busy", dir)
				calls, _, _ := strings.Cut(fault, ":")
				trace := filepath.Join(t.TempDir(), "trace")
				cmd := exec.CommandContext(t.Context(), strace, append([]string{
					"-f", "-qq", "-o", trace,
					"-e", "trace=" + calls, "-e", "inject=" + fault + ":when=" + when,
				}, traced.Args...)...)
				cmd.Env = traced.Env
				durable, _ := runBusy(t, cmd)
				wantBusyLog(t, dir, durable)
				b, err := os.ReadFile(trace)
				if err != nil {
					t.Fatal(err)
				}
				count.Add(int64(bytes.Count(b, []byte("(INJECTED)"))))
			})
		}
	}
}
