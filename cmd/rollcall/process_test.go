package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should come soon.
const patience = 20 * time.Second

// process is a rollcall of its own, and what it has printed.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	over  chan struct{}

	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

// start starts rollcall with arguments; env is added to the environment.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return startAs(t, env, args[0], "rollcall", args...)
}

// startAs starts any command.
func startAs(t *testing.T, env []string, name, command string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: exec.Command(command, args...), over: make(chan struct{}), changed: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	out, err := p.cmd.StdoutPipe()
	check(t, err)
	errOut, err := p.cmd.StderrPipe()
	check(t, err)
	p.stdin, err = p.cmd.StdinPipe()
	check(t, err)
	check(t, p.cmd.Start())
	var reading sync.WaitGroup
	reading.Go(func() { p.read(out) })
	reading.Go(func() { p.read(errOut) })
	go func() {
		reading.Wait()
		_ = p.cmd.Wait() // exit tells the code
		close(p.over)
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *process) read(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

// output gives the lines printed so far, and what tells of the next.
func (p *process) output() ([]string, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines, p.changed
}

// await waits for a line that matches, after the first from lines, and gives its
// groups.
func (p *process) await(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		lines, changed := p.output()
		for _, line := range lines {
			if match := re.FindStringSubmatch(line); match != nil {
				return match
			}
		}
		select {
		case <-changed:
		case <-p.over:
			p.t.Fatalf("%s is over without %q; it printed:\n%s", p.name, pattern, p.text())
		case <-deadline:
			p.t.Fatalf("%s has not printed %q after %v but:\n%s", p.name, pattern, patience, p.text())
		}
	}
}

// text gives everything printed.
func (p *process) text() string {
	lines, _ := p.output()
	return strings.Join(lines, "\n")
}

// say writes a line to standard input.
func (p *process) say(line string) {
	p.t.Helper()
	_, err := io.WriteString(p.stdin, line+"\n")
	check(p.t, err)
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	check(p.t, p.cmd.Process.Signal(s))
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // gone already, as the case may be
	<-p.over
}

// exit waits for the end and gives the exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.over:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("%s has not ended after %v; it printed:\n%s", p.name, patience, p.text())
		return 0
	}
}

// wantExit waits for the end and compares the exit code.
func (p *process) wantExit(want int) {
	p.t.Helper()
	if got := p.exit(); got != want {
		p.t.Fatalf("%s: exit code %d, want %d; it printed:\n%s", p.name, got, want, p.text())
	}
}
