package boltlog_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// The test binary is started again as a process that a test can do harm to. What
// it does is in this variable, the folder of its log in the other.
const (
	envRole = "ROLLCALL_TEST_ROLE"
	envDir  = "ROLLCALL_TEST_DIR"
)

func TestMain(m *testing.M) {
	roles := map[string]func(dir string) error{
		"append": appendForEver, "full": appendUntilFull, "busy": workBusily, "compact": compactOnce, "open": openOnce, "backup": backUpOnce, "story": tellStory, "again": workAgain,
	}
	if role := roles[os.Getenv(envRole)]; role != nil {
		if err := role(os.Getenv(envDir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	// The race detector would sleep for a second at the end of every process.
	cmd.Env = append(os.Environ(), envRole+"="+role, envDir+"="+dir, "GORACE=atexit_sleep_ms=10 halt_on_error=1")
	cmd.Stderr = os.Stderr
	return cmd
}

// noForks keeps other tests from starting processes until it is over: between its
// fork and its exec a process has the open files of this one, with their locks.
func noForks() (over func()) {
	syscall.ForkLock.RLock()
	return syscall.ForkLock.RUnlock
}

// appendForEver appends batches and prints the last position when each is durable.
func appendForEver(dir string) error {
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		return err
	}
	for last := log.Last(); ; fmt.Println(last) {
		batch := eventstore.Batch{Records: logtest.Records(last+1, crashBatch)}
		if last, err = log.Append(context.Background(), last, batch); err != nil {
			return err
		}
	}
}

// A process that is killed while it appends has lost nothing that it was told to
// be durable, and half a batch is never seen.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var acknowledged eventstore.Position
	for round := range 12 {
		acknowledged = max(acknowledged, killAfter(t, dir, 1+7*round))
		log := open(t, dir)
		last := log.Last()
		if last < acknowledged || last%crashBatch != 0 {
			t.Errorf("round %d: the log ends at %d; %d was durable, and batches are of %d", round, last, acknowledged, crashBatch)
		}
		wantWhole(t, log, int(last))
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter starts a process that appends, kills it after so many batches, and
// gives the last position that it has told.
func killAfter(t *testing.T, dir string, batches int) (last eventstore.Position) {
	t.Helper()
	cmd := child(t, "append", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		p, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			break // cut short by the kill
		}
		last = eventstore.Position(p)
		if n == 1 {
			wantInUseBy(t, dir, cmd.Process.Pid)
		}
		if n == batches {
			cmd.Process.Kill()
		}
	}
	cmd.Wait() // it was killed
	if last == 0 {
		t.Fatal("the process appended nothing")
	}
	return last
}

func wantInUseBy(t *testing.T, dir string, pid int) {
	t.Helper()
	_, err := boltlog.Open(dir, boltlog.Options{})
	var inUse *eventstore.InUseError
	if !errors.As(err, &inUse) || inUse.PID != pid {
		t.Errorf("Open = %v, want in use by process %d", err, pid)
	}
}

// appendUntilFull appends until no file may grow any more, checks that the log then
// takes nothing and still reads, and that it goes on when files may grow again.
func appendUntilFull(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := limitFiles(200 << 10); err != nil {
		return err
	}
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: 16 << 10})
	if err != nil {
		return err
	}
	for err == nil {
		_, err = log.Append(context.Background(), log.Last(), eventstore.Batch{
			Records: logtest.Records(log.Last()+1, 10),
			Sides:   []eventstore.Side{{SideKey: eventstore.SideKey{Position: log.Last() + 1, Kind: 1}, Value: make([]byte, 1<<10)}},
		})
	}
	if !errors.Is(err, eventstore.ErrFull) || errors.Is(err, eventstore.ErrFailed) {
		return fmt.Errorf("the append that failed: %w", err)
	}
	last, err := log.AppendReserved(context.Background(), log.Last(), eventstore.Batch{Records: logtest.Records(log.Last()+1, 10)})
	if err != nil {
		return fmt.Errorf("an append that room is kept for: %w", err)
	}
	if err := log.MakeRoom(context.Background()); !errors.Is(err, eventstore.ErrFull) || errors.Is(err, eventstore.ErrFailed) {
		return fmt.Errorf("make room where there is none: %w", err)
	}
	var n eventstore.Position
	for _, err := range log.Read(context.Background(), 1) {
		if err != nil {
			return fmt.Errorf("reading after that: %w", err)
		}
		n++
	}
	if n != last {
		return fmt.Errorf("%d records of %d can be read", n, last)
	}
	if err := limitFiles(1 << 30); err != nil {
		return err
	}
	if err := log.MakeRoom(context.Background()); err != nil {
		return fmt.Errorf("make room where there is some: %w", err)
	}
	if last, err = log.Append(context.Background(), last, eventstore.Batch{Records: logtest.Records(last+1, 10)}); err != nil {
		return fmt.Errorf("the append when there is room again: %w", err)
	}
	fmt.Println(last)
	return log.Close()
}

func limitFiles(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: 1 << 30})
}

// When there is no room, the log says so and takes nothing; when there is room
// again it goes on, and opened again it is whole.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "full", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var durable int
	if _, err := fmt.Sscan(string(out), &durable); err != nil || durable == 0 {
		t.Fatalf("the process told %q", out)
	}
	log := open(t, dir)
	wantWhole(t, log, durable)
	logtest.Fill(t, log, 10, 5)
	wantWhole(t, log, int(log.Last()))
}
