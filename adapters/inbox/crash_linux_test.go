package inbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// The test binary is started again as a process that a test can do harm to. What
// it does is in this variable, the folder of its inbox in the other.
const (
	envRole = "ROLLCALL_TEST_ROLE"
	envDir  = "ROLLCALL_TEST_DIR"
)

func TestMain(m *testing.M) {
	roles := map[string]func(dir string) error{"work": workForEver, "busy": workBusily, "full": workUntilFull}
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
	cmd.Env = append(os.Environ(), envRole+"="+role, envDir+"="+dir)
	return cmd
}

// workers is how many mailboxes are written at once, each by a worker of its own.
const workers = 8

// worker puts letters and answers into a mailbox, forgets some, and tells what has
// become durable.
type worker struct {
	inbox   *inbox.Inbox
	id      broker.MailboxID
	last    uint64
	answers uint64
	tell    func(format string, args ...any)
}

func workerID(n int) broker.MailboxID {
	return broker.MailboxID{Device: domain.DeviceID(n + 1), Account: 1}
}

func numbered(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (w *worker) step() error {
	ctx := context.Background()
	l := broker.Letter{
		Number: w.last + 1, Digest: broker.Digest(append(numbered(w.last+1), make([]byte, 8)...)),
		Sealed: append(numbered(w.last+1), make([]byte, w.last%5*2000)...), Key: [32]byte{1}, At: start,
	}
	if fresh, err := w.inbox.Put(ctx, w.id, l); err != nil || !fresh {
		return fmt.Errorf("put %d: %v, %w", l.Number, fresh, err)
	}
	w.last++
	w.tell("put %d %d\n", w.id.Device, w.last)
	if w.last%4 == 0 {
		a := broker.Answer{Message: broker.Digest(append(numbered(w.answers+1), make([]byte, 8)...))}
		if err := w.inbox.Answer(ctx, w.id, a); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		w.answers++
		w.tell("answer %d %d\n", w.id.Device, w.answers)
	}
	if w.last%10 == 0 {
		w.tell("forget %d %d\n", w.id.Device, w.last-5)
		w.inbox.Forget(w.id, w.last-5)
	}
	return nil
}

// work has the workers make so many steps each, at once, and tell out.
func work(i *inbox.Inbox, steps int, out io.Writer) error {
	var mu sync.Mutex
	errs := make(chan error)
	for n := range workers {
		go func() {
			w := &worker{inbox: i, id: workerID(n), tell: func(format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintf(out, format, args...)
			}}
			m, err := i.Mailbox(context.Background(), w.id)
			answers, err2 := i.Answers(context.Background(), w.id)
			err = errors.Join(err, err2)
			w.last = m.Last
			if len(answers) > 0 {
				w.answers = binary.BigEndian.Uint64(answers[len(answers)-1].Message[:])
			}
			for step := 0; step < steps && err == nil; step++ {
				err = w.step()
			}
			errs <- err
		}()
	}
	var err error
	for range workers {
		err = errors.Join(err, <-errs)
	}
	return err
}

func workForEver(dir string) error {
	i, err := inbox.Open(filepath.Join(dir, inbox.FileName), log1, inbox.Options{})
	if err != nil {
		return err
	}
	return work(i, 1<<40, os.Stdout)
}

// told is what a process has told of one mailbox.
type told struct{ put, answer, forget uint64 }

// take takes a line that a process has told.
func take(all map[broker.MailboxID]told, line string) {
	var what string
	var device domain.DeviceID
	var number uint64
	if _, err := fmt.Sscan(line, &what, &device, &number); err != nil {
		return
	}
	id := broker.MailboxID{Device: device, Account: 1}
	t := all[id]
	switch what {
	case "put":
		t.put = max(t.put, number)
	case "answer":
		t.answer = max(t.answer, number)
	case "forget":
		t.forget = max(t.forget, number)
	}
	all[id] = t
}

// wantTold wants everything that a process told to be durable: each letter once,
// with what it held, behind what may have been forgotten.
func wantTold(t *testing.T, i *inbox.Inbox, all map[broker.MailboxID]told) {
	t.Helper()
	for id, told := range all {
		m, err := i.Mailbox(t.Context(), id)
		if err != nil || m.Last < told.put {
			t.Errorf("%v: the last letter is %d, %v; %d was durable", id, m.Last, err, told.put)
		}
		kept, err := i.Letters(t.Context(), id, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		next := m.Last + 1 - uint64(len(kept))
		if next > told.forget+1 {
			t.Errorf("%v: the letters begin at %d; no more than %d was forgotten", id, next, told.forget)
		}
		for _, k := range kept {
			if k.Number != next || !bytes.HasPrefix(k.Sealed, numbered(k.Number)) {
				t.Fatalf("%v: there is letter %d with %.8x, want %d", id, k.Number, k.Sealed, next)
			}
			next++
		}
		wantNumbered(t, i, id, told.answer)
	}
}

func wantNumbered(t *testing.T, i *inbox.Inbox, id broker.MailboxID, durable uint64) {
	t.Helper()
	answers, err := i.Answers(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) == 0 && durable > 0 {
		t.Errorf("%v: there are no answers, and %d were durable", id, durable)
	}
	for n, a := range answers {
		first := binary.BigEndian.Uint64(answers[0].Message[:])
		if got := binary.BigEndian.Uint64(a.Message[:]); got != first+uint64(n) || n == len(answers)-1 && got < durable {
			t.Fatalf("%v: answer %d is %d, of %d; %d was durable", id, n, got, len(answers), durable)
		}
	}
}

// A process that is killed while it writes has lost nothing that it was told to be
// durable, and nothing is there twice.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	all := make(map[broker.MailboxID]told)
	for round := range 8 {
		killAfter(t, dir, 1+23*round, all)
		i := open(t, dir, inbox.Options{})
		wantTold(t, i, all)
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func killAfter(t *testing.T, dir string, lines int, all map[broker.MailboxID]told) {
	t.Helper()
	cmd := child(t, "work", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for in := bufio.NewScanner(out); in.Scan(); n++ {
		take(all, in.Text())
		if n == lines {
			cmd.Process.Kill()
		}
	}
	cmd.Wait() // it was killed
	if n < lines {
		t.Fatalf("the process told %d lines", n)
	}
}

// A second process gives up soon.
func TestInUseByAnother(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "work", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	in.Scan() // it has the inbox open
	go func() {
		for in.Scan() {
		}
	}()
	began := time.Now()
	_, err = inbox.Open(filepath.Join(dir, inbox.FileName), log1, inbox.Options{})
	if !errors.As(err, new(*inbox.InUseError)) || time.Since(began) > 10*time.Second {
		t.Errorf("Open = %v after %v, want an InUseError at once", err, time.Since(began))
	}
	cmd.Process.Kill()
	cmd.Wait()
}
