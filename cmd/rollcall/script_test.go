package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"rollcall/adapters/control"
)

// scriptCommands are what scripts know beside the usual commands.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":     exits,
	"capture":   capture,
	"appliance": startAppliance,
	"stopped":   stopped,

	"waitline":    waitLine,
	"waitsession": waitSession,
}

// exits runs a command and checks its exit code: exits CODE COMMAND ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("use: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// capture puts what a group of a regular expression matches in the last output
// into a variable: capture VARIABLE REGEXP
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("use: capture VARIABLE REGEXP")
	}
	match := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(match) != 2 {
		ts.Fatalf("%s is not in the output, once with a group", args[1])
	}
	ts.Setenv(args[0], match[1])
}

// waitSession waits until an account's session is in a state: waitsession
// ACCOUNT STATE
func waitSession(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("use: waitsession ACCOUNT STATE")
	}
	client, err := control.Dial(context.Background(), ts.MkAbs(ts.Getenv("ROLLCALL_DATA")))
	ts.Check(err)
	ts.Check(eventually(context.Background(), func() error {
		sessions, err := client.Sessions(context.Background())
		for _, s := range sessions {
			if s.Account == args[0] && string(s.State) == args[1] {
				return nil
			}
		}
		return fmt.Errorf("no session of %s is %s: %+v, %w", args[0], args[1], sessions, err)
	}))
}

// waitLine waits until a program in the background has written a line that matches
// to a file: waitline FILE REGEXP
func waitLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("use: waitline FILE REGEXP")
	}
	line := regexp.MustCompile("(?m)" + args[1] + ".*\n")
	ts.Check(eventually(context.Background(), func() error {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if line.Match(b) {
			return nil
		}
		return fmt.Errorf("%s has no line with %s: %q, %v", args[0], args[1], b, err)
	}))
}

// running is the appliance of a script.
type running struct {
	cmd  *exec.Cmd
	over chan error
}

type runningKey struct{}

// startAppliance starts `rollcall serve` on a free port, waits until it is
// ready, and puts where devices connect into $ADDRESS: appliance ARG...
func startAppliance(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command("rollcall", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "ROLLCALL_DATA="+ts.Getenv("ROLLCALL_DATA"))
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	r := &running{cmd, make(chan error, 1)}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), "rollcall is ready"); ok {
				match := regexp.MustCompile(`listen=(\S+)`).FindStringSubmatch(rest)
				address <- match[1]
			}
		}
		_, _ = io.Copy(io.Discard, stderr) // a line that is too long for the scanner
	}()
	ts.Defer(func() { _ = cmd.Process.Kill() }) // gone already where the script stopped it
	at, ok := <-address
	go func() { r.over <- cmd.Wait() }()
	if !ok {
		ts.Fatalf("the appliance did not start: %v", <-r.over)
	}
	ts.Setenv("ADDRESS", at)
	ts.Value(runningKey{}).(*stack).push(r)
}

// stopped stops the appliance with SIGTERM, and checks that it says goodbye; with
// -9 it kills it: stopped [-9]
func stopped(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(runningKey{}).(*stack).pop()
	if r == nil {
		ts.Fatalf("no appliance runs")
	}
	if len(args) == 1 && args[0] == "-9" {
		ts.Check(r.cmd.Process.Kill())
		<-r.over
		return
	}
	ts.Check(r.cmd.Process.Signal(syscall.SIGTERM))
	if err := <-r.over; err != nil {
		ts.Fatalf("the appliance stopped with %v", err)
	}
}

// stack holds the appliances that a script has started.
type stack struct{ all []*running }

func (s *stack) push(r *running) { s.all = append(s.all, r) }

func (s *stack) pop() *running {
	if len(s.all) == 0 {
		return nil
	}
	last := s.all[len(s.all)-1]
	s.all = s.all[:len(s.all)-1]
	return last
}
