package main

import (
	"os"
	"os/exec"
	"path/filepath"
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

// openUnder starts the appliance under strace, which makes calls fail.
func (h *house) openUnder(strace, files, call, how string) {
	h.t.Helper()
	paths, err := filepath.Glob(h.file(files))
	check(h.t, err)
	if len(paths) == 0 {
		h.t.Fatalf("there are no files %s", files)
	}
	self, err := exec.LookPath("rollcall")
	check(h.t, err)
	// As a grandchild strace leaves the appliance where it would be without.
	args := []string{"-D", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + how}
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
			h.openUnder(strace, fault.files, fault.call, fault.how)
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
