package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

// What an appliance has in memory goes into no core file, by its limit.
func TestApplianceLeavesNoCoreFile(t *testing.T) {
	h := newHouse(t)
	h.open()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", h.serve.cmd.Process.Pid))
	check(t, err)
	if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("the limits do not forbid core files:\n%s", limits)
	}
	h.shut()
}

// Where the kernel hands cores to a program, limits do not count.
func TestForbidCoreDumps(t *testing.T) {
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	check(t, err)
	defer unix.Prctl(unix.PR_SET_DUMPABLE, uintptr(dumpable), 0, 0, 0)
	check(t, unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
	check(t, forbidCoreDumps())
	if now, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || now != 0 {
		t.Errorf("the process is dumpable: %d, %v; want 0", now, err)
	}
}
