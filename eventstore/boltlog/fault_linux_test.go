package boltlog_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rollcall/eventstore/boltlog"
)

// faults are calls of the system and how they fail, and on which kinds of file each
// of them is made: see fileKind.
var faults = []struct {
	calls, how string
	on         []string
}{
	{"pwrite64", "error=EIO", []string{"journal", "log.db", "backup", "compaction"}},
	{"pwrite64", "error=ENOSPC", []string{"journal", "log.db", "backup", "compaction"}},
	{"fdatasync", "error=EIO", []string{"journal", "log.db", "backup", "compaction"}},
	{"fdatasync", "error=ENOSPC", []string{"journal", "log.db", "backup", "compaction"}},
	{"fsync", "error=EIO", []string{"log.db", "folder", "backup", "compaction"}},
	{"ftruncate", "error=EIO", []string{"log.db", "backup", "compaction"}},
	{"ftruncate", "error=ENOSPC", []string{"log.db", "backup", "compaction"}},
	{"rename,renameat,renameat2", "error=EIO", []string{"journal", "compaction"}},
	{"rename,renameat,renameat2", "error=ENOSPC", []string{"journal", "compaction"}},
	{"link,linkat", "error=ENOSPC", []string{"log.db", "backup", "compaction"}},
	{"unlink,unlinkat", "error=EIO", []string{"journal", "backup", "compaction"}},
}

// fileKind tells whose file a line of strace's is about.
func fileKind(line string) string {
	for _, kind := range []struct{ name, in string }{
		{"compaction", "compacted"}, {"compaction", "discarded"}, {"backup", "/backup-"}, {"journal", "/journal/"}, {"log.db", "/log.db"},
	} {
		if strings.Contains(line, kind.in) {
			return kind.name
		}
	}
	return "folder"
}

// The second call of a thread fails, and every seventh after it. Some calls are so
// few that perhaps no thread makes two: there the first fails, too.
var (
	fewWhens  = []string{"2+7", "1"}
	manyWhens = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "11", "13", "17", "23", "31", "41", "5+", "11+3", "20+2"}
	longWhens = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "1+", "3+2"}
)

// met notes which faults were met on which kinds of file.
type met struct {
	mu   sync.Mutex
	seen map[string]map[string]int
}

func (m *met) note(t *testing.T, fault, trace string) {
	t.Helper()
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for line := range strings.Lines(string(b)) {
		if !strings.Contains(line, "(INJECTED)") {
			continue
		}
		if m.seen[fault] == nil {
			m.seen[fault] = make(map[string]int)
		}
		m.seen[fault][fileKind(line)]++
	}
}

// want fails unless every fault was met: on every kind of file in the long form, on
// any in the short one.
func (m *met) want(t *testing.T) {
	t.Helper()
	for _, f := range faults {
		seen := m.seen[f.calls+":"+f.how]
		if len(seen) == 0 {
			t.Errorf("%s:%s: no call failed; is it ever made?", f.calls, f.how)
		}
		for _, kind := range f.on {
			if torture && seen[kind] == 0 {
				t.Errorf("%s:%s: no call on a file of %s failed", f.calls, f.how, kind)
			}
		}
	}
}

// backUpOnce is a process that backs a log up, if it can.
func backUpOnce(dir string) error {
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: registerSegment})
	if err != nil {
		return nil // harm was done to it
	}
	log.Backup(context.Background(), filepath.Join(dir, "backup-1"))
	log.Close()
	return nil
}

// Whichever call of the system fails, what was durable is there, a log that may
// have lost a write takes nothing more, and opened again it goes on; a backup is
// whole or not there; a compaction leaves the old log or the new one.
func TestFaults(t *testing.T) {
	strace := strace(t)
	r := newRegister()
	template := t.TempDir()
	r.keep(t, template)
	onRegister := func(t *testing.T, _ string, run func(dir string) *exec.Cmd) {
		dir := copied(t, template)
		run(dir).Run() // what it comes to is what the fault makes of it
		r.want(t, dir, true)
		r.want(t, dir, false)
		wantNothingLeft(t, dir)
		wantBackup(t, r, filepath.Join(dir, "backup-1"))
	}
	works := []struct {
		role        string
		short, long []string // calls that fail, as strace counts them
		work        func(t *testing.T, dir string, run func(dir string) *exec.Cmd)
	}{
		{"busy", fewWhens, manyWhens, func(t *testing.T, dir string, run func(dir string) *exec.Cmd) {
			durable, _ := runBusy(t, run(dir))
			wantBusyLog(t, dir, durable)
		}},
		{"backup", nil, longWhens, onRegister},
		{"compact", []string{"2"}, longWhens, onRegister},
	}
	m := &met{seen: make(map[string]map[string]int)}
	t.Cleanup(func() { m.want(t) })
	for _, w := range works {
		whens := w.short
		if torture {
			whens = w.long
		}
		for _, f := range faults {
			for _, when := range whens {
				fault := f.calls + ":" + f.how
				t.Run(w.role+" "+fault+":when="+when, func(t *testing.T) {
					t.Parallel()
					trace := filepath.Join(t.TempDir(), "trace")
					w.work(t, t.TempDir(), func(dir string) *exec.Cmd {
						traced := child(t, w.role, dir)
						cmd := exec.CommandContext(t.Context(), strace, append([]string{
							"-f", "-qq", "-y", "-o", trace,
							"-e", "trace=" + f.calls, "-e", "inject=" + fault + ":when=" + when,
						}, traced.Args...)...)
						cmd.Env = traced.Env
						return cmd
					})
					m.note(t, fault, trace)
				})
			}
		}
	}
}

// strace gives the program of that name.
func strace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
			t.Fatal("strace is needed and not installed; install the package strace")
		}
		t.Skip("strace is not installed")
	}
	return path
}

// wantBackup fails where there is a backup that is not whole.
func wantBackup(t *testing.T, r *register, path string) {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return
	}
	log, err := boltlog.OpenFile(path)
	if err != nil {
		t.Errorf("the backup: %v", err)
		return
	}
	defer log.Close()
	r.wantIn(t, log)
}
