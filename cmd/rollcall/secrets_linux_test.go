package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPasswordsGoNowhereWhenTheDiskFails logs in until the journal cannot be
// written any more, in the middle of a login, and searches as
// [TestPasswordsGoNowhere] does.
func TestPasswordsGoNowhereWhenTheDiskFails(t *testing.T) {
	const point = "a disk that fails"
	strace := straceOrSkip(t)
	a := newAviary(t)
	a.rollcall("service", "set", "office", "--kind", "local")
	a.user("ada", a.canary(point).password())
	identity := a.device("Ada", "office:ada")
	a.shut()
	paths, err := filepath.Glob(filepath.Join(a.data, "journal", "*"))
	check(t, err)
	a.openUnder(strace, paths, "fdatasync", "error=EIO:when=9+")
	a.processes = append(a.processes, a.serve)
	logins := 0
	for a.letOut(point, identity, "office", "ada").acceptedBefore(a.serve) {
		logins++ // each in the place of the one before it, whose device is gone
	}
	a.serve.wantExit(exitData)
	if logins == 0 {
		t.Error("the disk failed in front of the first login")
	}
	a.reopen()
	a.search()
}

// acceptedBefore tells whether a client gets in before the appliance is over, and
// kills it.
func (c clientProcess) acceptedBefore(appliance *process) bool {
	defer c.kill()
	for {
		_, changed := c.output()
		if strings.Contains(c.text(), `"event":"accepted"`) {
			return true
		}
		select {
		case <-changed:
		case <-c.over:
			return false
		case <-appliance.over:
			return false
		}
	}
}
