package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// seat is a terminal with a command at it.
type seat struct {
	t            *testing.T
	screen, line *os.File // what a person has, and what the command has
	cmd          *exec.Cmd
	shown        strings.Builder
}

// sitDown starts a command at a terminal of its own.
func sitDown(t *testing.T, args ...string) *seat {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	check(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	check(t, err)
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { line.Close() })

	s := &seat{t: t, screen: screen, line: line, cmd: exec.Command("rollcall", args...)}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = line, line, line
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	check(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // gone already, as a rule
	return s
}

// echoes tells whether the terminal shows what is typed.
func (s *seat) echoes() bool {
	s.t.Helper()
	settings, err := unix.IoctlGetTermios(int(s.line.Fd()), unix.TCGETS)
	check(s.t, err)
	return settings.Lflag&unix.ECHO != 0
}

// see reads the screen until it shows a text.
func (s *seat) see(text string) {
	s.t.Helper()
	for b := make([]byte, 256); !strings.Contains(s.shown.String(), text); {
		soon := []unix.PollFd{{Fd: int32(s.screen.Fd()), Events: unix.POLLIN}}
		if n, err := unix.Poll(soon, int(patience/time.Millisecond)); n == 0 {
			s.t.Fatalf("%q is not shown after %v but %q: %v", text, patience, s.shown.String(), err)
		}
		n, err := s.screen.Read(b)
		s.shown.Write(b[:n])
		if err != nil {
			s.t.Fatalf("%q is not shown but %q: %v", text, s.shown.String(), err)
		}
	}
}

// code waits for the end of the command.
func (s *seat) code() int {
	_ = s.cmd.Wait() // the code tells
	return s.cmd.ProcessState.ExitCode()
}

// Whoever leaves a password prompt has the terminal as it was in front of it.
func TestPromptLeavesTheTerminalAsItWas(t *testing.T) {
	keys := func(text string) func(*seat) error {
		return func(s *seat) error {
			_, err := s.screen.WriteString(text)
			return err
		}
	}
	sent := func(signal os.Signal) func(*seat) error {
		return func(s *seat) error { return s.cmd.Process.Signal(signal) }
	}
	for _, test := range []struct {
		name  string
		leave func(*seat) error
		code  int
		shown string
	}{
		{"Ctrl-C", keys("half a pass\x03"), exitFailure, "rollcall: interrupted; nothing was changed"},
		{"Ctrl-backslash", keys("\x1c"), exitFailure, "rollcall: interrupted; nothing was changed"},
		{"SIGTERM", sent(syscall.SIGTERM), exitFailure, "rollcall: interrupted; nothing was changed"},
		{"hangup", sent(syscall.SIGHUP), exitFailure, "rollcall: interrupted; nothing was changed"},
		{"Ctrl-D", keys("\x04"), exitUsage, "rollcall: no password was given; nothing was changed"},
		{"an empty line", keys("\n"), exitUsage, "rollcall: the terminal holds no password"},
		{"a password, mended", keys("correct horsf\x7fe\ncorrect horse\n"), exitOK, "account ada is added"},
		{"two passwords", keys("correct horse\nbattery staple\n"), exitFailure, "rollcall: the two passwords differ"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := sitDown(t, "user", "add", "ada", "--data", t.TempDir()+"/data")
			s.see("Password of ada: ")
			if s.echoes() {
				t.Error("the terminal shows the password")
			}
			check(t, test.leave(s))
			s.see(test.shown)
			if got := s.code(); got != test.code {
				t.Errorf("exit code %d, want %d; the screen shows %q", got, test.code, s.shown.String())
			}
			if !s.echoes() {
				t.Error("the terminal shows nothing of what is typed any more")
			}
			if text := s.shown.String(); strings.Contains(text, "horse") || strings.Contains(text, "half") {
				t.Errorf("the screen shows what was typed: %q", text)
			}
		})
	}
}
