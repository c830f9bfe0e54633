package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// diskFaults are calls of the system that fail under load: on which files, which
// call and how, and what the appliance says as it ends.
var diskFaults = []struct {
	name, files, call, how, says string
	segment                      int64 // of the journal in bytes; small where something is to be packed
	torture                      bool  // only in the long form
}{
	{"journal sync", "journal/*", "fdatasync", "error=EIO:when=8+",
		`write to the event log: .*sync the journal: fdatasync .*journal/0.*: input/output error.* next="look after the disk`, 256 << 10, false},
	{"journal write", "journal/*", "pwrite64", "error=EIO:when=8+",
		`write to the event log: .*write to the journal: write .*journal/0.*: input/output error.* next="look after the disk`, 256 << 10, true},
	{"journal write without room", "journal/*", "pwrite64", "error=ENOSPC:when=8+",
		`write to the event log: .*write to the journal: write .*journal/0.*: no space left on device.* next="free space`, 256 << 10, true},
	{"database write", "log.db", "pwrite64", "error=EIO:when=2+",
		`write to the event log: .*move batches from the journal into .*log.db: .*input/output error.* next="look after the disk`, 8 << 10, true},
	{"database sync", "log.db", "fdatasync", "error=EIO:when=1+",
		`write to the event log: .*move batches from the journal into .*log.db: .*input/output error.* next="look after the disk`, 8 << 10, false},
	{"views", "projections.db", "fdatasync", "error=EIO:when=15+",
		`the views in projections.db cannot be kept up: .*input/output error.* next="look after the disk`, 8 << 10, true},
}

// openUnder starts the appliance under strace, which makes calls on some files
// fail. These need not be there yet.
func (h *house) openUnder(strace string, paths []string, call, how string) {
	h.t.Helper()
	self, err := exec.LookPath("rollcall")
	check(h.t, err)
	// As a grandchild strace leaves the appliance where it would be without.
	// It can be ended while the appliance goes on (-I1), which a filter in the
	// kernel (--seccomp-bpf) would survive.
	args := []string{"-D", "-I1", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + how}
	for _, path := range paths {
		args = append(args, "-P", path)
	}
	args = append(args, self, "serve", "--listen", h.address)
	h.serve = startAs(h.t, h.env(), "serve", strace, args...)
	h.serve.await("rollcall is ready")
}

// Whatever call fails while people log in and out, the appliance ends with a
// message that names the file and the next step, and with its exit code; nothing
// is missing of what was answered, and it goes on after a start.
func TestDiskFailsUnderLoad(t *testing.T) {
	strace := straceOrSkip(t)
	for _, fault := range diskFaults {
		t.Run(fault.name, func(t *testing.T) {
			if fault.torture && os.Getenv("ROLLCALL_TORTURE") == "" {
				t.Skip("make torture runs it")
			}
			h := newHouse(t)
			smallJournal(t, h.data, fault.segment)
			devices := crashHouse(t, h)
			h.shut()
			paths, err := filepath.Glob(h.file(fault.files))
			check(t, err)
			if len(paths) == 0 {
				t.Fatalf("there are no files %s", fault.files)
			}
			h.openUnder(strace, paths, fault.call, fault.how)
			told := newWitness()
			load(t, devices, told, func() {
				h.serve.wantExit(exitData)
			})
			h.serve.await(`level=ERROR msg="rollcall has ended with an error" reason=".*` + fault.says)
			h.open()
			live := told.verify(t, h.operator())
			comeBack(t, devices, live)
			h.shut()
			h.rollcall("audit", "verify")
			if len(told.accepted)+len(told.busy) == 0 {
				t.Error("nobody was answered: this test shows nothing")
			}
		})
	}
}

// tracer gives the process that traces another.
func tracer(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	check(t, err)
	match := regexp.MustCompile(`(?m)^TracerPid:\s+(\d+)$`).FindSubmatch(status)
	if match == nil {
		t.Fatalf("nothing on a tracer in %s", status)
	}
	tracer, err := strconv.Atoi(string(match[1]))
	check(t, err)
	if tracer == 0 {
		t.Fatal("it is not traced")
	}
	return tracer
}

// Where no segment can be made for want of room, nobody new is let in and whoever is
// there can go, until there is room. Unlike TestFullDisk this needs no disk of its own.
func TestNoRoomForSegments(t *testing.T) {
	strace := straceOrSkip(t)
	h := newHouse(t)
	smallJournal(t, h.data, 128<<10)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.addUsers("ada", "bob")
	h.open()
	ada, bob := h.join("ada", "office:ada"), h.join("bob", "office:bob")
	h.shut()
	var segments []string
	for n := range 40 {
		segments = append(segments, h.file(fmt.Sprintf("journal/new-%016x", n)))
	}
	h.openUnder(strace, segments, "pwrite64", "error=ENOSPC")
	here := h.login(ada, "office", "ada")
	here.accepted()
	fillLog(t, h.operator())
	h.serve.await(`level=ERROR msg="the disk is full: nobody is let in until there is room`)
	h.login(bob, "office", "bob").await(`"event":"rejected","code":"interrupted",.*"text":"the server's disk is full"`)
	h.rollcall("sessions", "list")
	h.rollcall("audit", "log", "--type", "login-accepted")
	h.rollcall("rebuild", "--check", "sessions")
	here.say(`{"logout":{}}`)
	here.wantExit(exitOK)

	check(t, syscall.Kill(tracer(t, h.serve.cmd.Process.Pid), syscall.SIGTERM)) // then calls succeed
	h.serve.await("the log has room again, and goes on")
	h.login(bob, "office", "bob").accepted()
	h.shut()
	h.rollcall("audit", "verify")
}

// Where there is no room for what waits for devices, messages are refused at once,
// whoever has sent hundreds can log out at once, and every message is either
// refused or there.
func TestNoRoomForMessages(t *testing.T) {
	strace := straceOrSkip(t)
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.addUsers("ada", "bob")
	h.open()
	ada, bob := h.join("ada", "office:ada"), h.join("bob", "office:bob")
	h.shut()
	info, err := os.Stat(h.file("inbox.db"))
	check(t, err)
	check(t, os.Truncate(h.file("inbox.db"), info.Size()+1<<20)) // room for some
	h.openUnder(strace, []string{h.file("inbox.db")}, "fallocate", "error=ENOSPC")
	away := h.login(bob, "office", "bob")
	away.accepted()
	away.kill()
	here := h.login(ada, "office", "ada")
	here.accepted()
	const messages = 200
	for n := range messages {
		here.say(fmt.Sprintf(`{"send":{"id":"m%d","to":"bob","body":"%d %s"}}`, n, n, noise(8<<10)))
	}
	here.say(`{"logout":{}}`)
	here.wantExit(exitOK)
	refused, said := make(map[string]bool), 0
	for _, m := range regexp.MustCompile(`"event":"sent","id":"m([0-9]+)"(,"error":"([^"]*)")?`).FindAllStringSubmatch(here.text(), -1) {
		said++
		if refused[m[1]] = m[2] != ""; refused[m[1]] && !strings.Contains(m[3], "the server's disk is full; try again later") {
			t.Errorf("message %s was refused with %q", m[1], m[3])
		}
	}
	if strings.Contains(here.text(), `"event":"coverage"`) || said != messages {
		t.Errorf("%d messages were answered, want %d and the link never lost", said, messages)
	}
	h.serve.await("the disk is full: what comes for devices waits upstream, or is refused to its sender")
	check(t, syscall.Kill(tracer(t, h.serve.cmd.Process.Pid), syscall.SIGTERM)) // then calls succeed

	back := clientProcess{start(t, h.env(), "client", "resume", "--identity", bob, "-o", "json", "--stay")}
	back.accepted()
	kept := 0
	for n := range messages {
		if !refused[fmt.Sprint(n)] {
			kept++
			back.hears("ada", fmt.Sprintf("%d [0-9a-f]*", n))
		}
	}
	if kept == 0 || kept == messages {
		t.Errorf("%d of %d messages were kept: this test shows nothing", kept, messages)
	}
	back.say(`{"logout":{}}`)
	back.wantExit(exitOK)
	h.shut()
}

// noise gives text that hardly becomes shorter by compression.
func noise(length int) string {
	b := make([]byte, length/2)
	_, _ = rand.Read(b) // does not fail
	return hex.EncodeToString(b)
}

func straceOrSkip(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err == nil {
		return strace
	}
	if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
		t.Fatal("strace is needed and not installed; install the package strace")
	}
	t.Skip("strace is not installed")
	return ""
}
