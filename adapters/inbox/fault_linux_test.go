package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"rollcall/adapters/inbox"
	"rollcall/domain/broker"
)

// workBusily works for a while, and goes on where there was no room. Where the
// inbox fails it wants it to have failed for good.
func workBusily(dir string) error {
	i, err := inbox.Open(filepath.Join(dir, inbox.FileName), log1, inbox.Options{})
	if err != nil {
		return injected(err)
	}
	for range 3 {
		if err := work(i, 20, os.Stdout); err == nil || errors.Is(err, broker.ErrInboxFull) && i.Err() == nil {
			continue
		}
		select {
		case <-i.Failed():
		default:
			return fmt.Errorf("a write has failed, and not the inbox: %w", err)
		}
		if _, err := i.Put(context.Background(), workerID(0), letter(1<<40)); !errors.Is(err, inbox.ErrFailed) {
			return fmt.Errorf("put after a failure: %w", err)
		}
		break
	}
	return injected(i.Close())
}

// injected passes over errors of the kind that the test injects.
func injected(err error) error {
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOSPC) || strings.Contains(fmt.Sprint(err), "input/output error") {
		return nil
	}
	return err
}

// Whichever call of the system fails, what was durable is there, an inbox that may
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
		"fdatasync:error=EIO", "fdatasync:error=ENOSPC",
		"fsync:error=EIO", "fallocate:error=ENOSPC", "fallocate:error=EIO", "fallocate:error=EOPNOTSUPP",
	}
	met := make(map[string]*atomic.Int64)
	t.Cleanup(func() {
		for fault, n := range met {
			if n.Load() == 0 {
				t.Errorf("%s: no call failed; is it ever made?", fault)
			}
		}
	})
	for _, fault := range faults {
		met[fault] = new(atomic.Int64)
		whens := []string{"1", "2+5"}
		switch few := strings.HasPrefix(fault, "f"); { // such calls are few, pwrite64s are many
		case torture:
		case few:
			whens = whens[:1]
		default:
			whens = whens[1:]
		}
		for _, when := range whens {
			t.Run(fault+":when="+when, func(t *testing.T) {
				t.Parallel()
				met[fault].Add(int64(underFault(t, strace, fault, when)))
			})
		}
	}
}

// underFault runs a busy process some of whose calls fail, looks at what it leaves,
// and gives how many failed.
func underFault(t *testing.T, strace, fault, when string) (failed int) {
	t.Helper()
	dir := t.TempDir()
	open(t, dir, inbox.Options{}).Close()
	traced := child(t, "busy", dir)
	calls, _, _ := strings.Cut(fault, ":")
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), strace, append([]string{
		"-f", "-qq", "-o", trace, "-e", "trace=" + calls, "-e", "inject=" + fault + ":when=" + when,
	}, traced.Args...)...)
	var out, problems bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = traced.Env, &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &problems)
	}
	all := make(map[broker.MailboxID]told)
	for line := range strings.Lines(out.String()) {
		take(all, line)
	}
	i := open(t, dir, inbox.Options{})
	wantTold(t, i, all)
	if err := work(i, 2, io.Discard); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("(INJECTED)"))
}

// workUntilFull puts letters until no file may grow any more. Then it wants
// forgetting, answering and dropping to go on, and letters to be taken again when
// that has made room, and when files may grow again.
func workUntilFull(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := limitFiles(2 << 20); err != nil {
		return err
	}
	i, err := inbox.Open(filepath.Join(dir, inbox.FileName), log1, inbox.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	put := func(id broker.MailboxID, number uint64) error {
		l := letter(number)
		l.Sealed = append(numbered(number), make([]byte, 3000)...)
		l.Digest = broker.Digest{}
		_, err := i.Put(ctx, id, l)
		return err
	}
	twice := letter(1)
	if _, err := i.Put(ctx, workerID(workers), twice); err != nil {
		return err
	}
	n := 0
	for ; err == nil; n++ {
		err = put(workerID(n%workers), uint64(n/workers)+1)
	}
	if n--; !errors.Is(err, broker.ErrInboxFull) || n < 200 {
		return fmt.Errorf("put %d: %w", n, err)
	}
	for k := range 200 {
		if err := i.Answer(ctx, workerID(k%workers), made(k)); err != nil {
			return fmt.Errorf("answer when full: %w", err)
		}
	}
	for k := range 3 {
		if err := put(workerID(n%workers), uint64(n/workers)+1); !errors.Is(err, broker.ErrInboxFull) {
			return fmt.Errorf("put %d when full: %w", k, err)
		}
	}
	twice.Number++
	if fresh, err := i.Put(ctx, workerID(workers), twice); fresh || err != nil {
		return fmt.Errorf("put of a letter that is there, when full: %v, %w", fresh, err)
	}
	if err := i.Drop(ctx, workerID(workers)); err != nil {
		return err
	}
	for k := range workers - 2 {
		i.Forget(workerID(k), uint64(n/workers/2))
	}
	if err := i.Drop(ctx, workerID(workers-1)); err != nil {
		return fmt.Errorf("drop when full: %w", err)
	}
	s := i.Stats()
	if s.Mailboxes != workers-1 || s.Waiting > n/3*2 {
		return fmt.Errorf("when mailboxes were forgotten and one dropped there are %+v, of %d letters", s, n)
	}
	number := uint64(n/workers) + 2 // of every mailbox
	for k := range 20 {
		if err := put(workerID(k%4), number+uint64(k)); err != nil {
			return fmt.Errorf("put when there is room in the file: %w", err)
		}
	}
	if err := limitFiles(1 << 30); err != nil {
		return err
	}
	for k := range 1000 {
		if err := put(workerID(5), number+uint64(k)); err != nil {
			return fmt.Errorf("put when there is room on the disk: %w", err)
		}
	}
	fmt.Println(i.Stats().Waiting)
	return i.Close()
}

func limitFiles(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: 1 << 30})
}

// When there is no room, letters are refused and nothing changes; what makes room
// still works; when there is room again all goes on, and opened again all is there.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "full", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var waiting int
	if _, err := fmt.Sscan(string(out), &waiting); err != nil {
		t.Fatalf("the process told %q", out)
	}
	i := open(t, dir, inbox.Options{})
	if s := i.Stats(); s.Waiting != waiting || waiting < 400 {
		t.Errorf("%d letters are there, want %d", s.Waiting, waiting)
	}
}
