package main

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

// settled is a data folder of a stopped appliance, with something in it.
func settled(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local", "--max-sessions", "5")
	h.rollcall("service", "set", "annex", "--kind", "local")
	return h
}

func (h *house) file(name string) string { return filepath.Join(h.data, name) }

// alter changes a bbolt file.
func alter(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	check(t, err)
	check(t, db.Update(change))
	check(t, db.Close())
}

// flip changes one bit of a file.
func flip(t *testing.T, path string, at int) {
	t.Helper()
	content, err := os.ReadFile(path)
	check(t, err)
	content[at] ^= 1
	check(t, os.WriteFile(path, content, 0o600))
}

// Each way in which a log cannot be read: both the appliance and the tools say
// so, and change nothing.
func TestUnreadableLogs(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, log string)
		why   string
	}{
		{"from a newer version", func(t *testing.T, log string) {
			alter(t, log, func(tx *bbolt.Tx) error {
				key, value := []byte("format"), []byte{0, 0, 0, 9}
				sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
				return tx.Bucket([]byte("meta")).Put(key, binary.BigEndian.AppendUint32(value, sum))
			})
		}, `log.db: the log has format 9 and this version of rollcall reads up to format \d+; use a newer version`},
		{"a damaged frame", func(t *testing.T, log string) {
			segments, err := filepath.Glob(filepath.Join(filepath.Dir(log), "journal", "[0-9a-f]*"))
			check(t, err)
			flip(t, segments[0], 512+40) // in the first frame, behind the head
		}, `the log is damaged (at positions? 1|from position 1 on).*restore it from a backup`},
		{"cut short", func(t *testing.T, log string) {
			check(t, os.Truncate(log, 9000))
		}, `log.db: the log is damaged from position 1 on: .*; restore it from a backup`},
		{"something else", func(t *testing.T, log string) {
			check(t, os.WriteFile(log, []byte(strings.Repeat("hello ", 5000)), 0o600))
		}, `log.db: the log is damaged from position 1 on: .*; restore it from a backup`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := settled(t)
			test.spoil(t, h.file("log.db"))
			before, err := os.ReadFile(h.file("log.db"))
			check(t, err)
			h.fails(exitDamage, test.why, "serve", "--listen", "127.0.0.1:0")
			h.fails(exitDamage, test.why, "audit", "log")
			h.fails(exitDamage, test.why, "service", "set", "office", "--max-sessions", "6")
			after, err := os.ReadFile(h.file("log.db"))
			check(t, err)
			if string(before) != string(after) {
				t.Error("the damaged log was changed")
			}
		})
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A view that is not what the log says is named, and made right.
func TestCheckNamesTheFirstDifference(t *testing.T) {
	h := settled(t)
	alter(t, h.file(projectionsFile), func(tx *bbolt.Tx) error {
		view := tx.Bucket([]byte("live")).Bucket([]byte("configuration")).Bucket([]byte("view"))
		key, value := view.Cursor().First()
		wrong := strings.Replace(string(value), `"office"`, `"off1ce"`, 1)
		return view.Put(append([]byte(nil), key...), []byte(wrong))
	})
	h.fails(exitDifference, `configuration +\d+ events in .*: DIFFERS: as of position \d+, row service/.*off1ce`, "rebuild", "--check")
	if text := h.rollcall("rebuild"); !strings.Contains(text, "differed and is replaced") {
		t.Errorf("rebuild says %s", text)
	}
	h.rollcall("rebuild", "--check")
}

// Without its views an appliance gives the same answers after the next start.
func TestDeletedViewsAnswerTheSame(t *testing.T) {
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local", "--max-sessions", "5")
	h.addUsers("ada", "bob")
	h.open()
	for _, name := range []string{"ada", "bob"} {
		c := h.login(h.join(name, "office:"+name), "office", name)
		c.accepted()
		c.kill()
		h.state(name, "out-of-coverage")
	}
	h.shut()
	ask := func() string {
		h.open()
		defer h.shut()
		var all []string
		for _, args := range [][]string{{"sessions", "list"}, {"sessions", "count"}, {"service", "list"}, {"device", "list"}} {
			all = append(all, h.rollcall(args...))
		}
		return strings.Join(all, "\n")
	}
	heard := func(text string) string { // a restart is when a device was last heard of, as far as is proven
		var lines []string
		for line := range strings.Lines(text) {
			if fields := strings.Fields(line); len(fields) > 9 && strings.Contains(line, "out-of-coverage") {
				line = strings.Join(fields[:len(fields)-1], " ")
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "\n")
	}
	before := ask()
	check(t, os.Remove(h.file(projectionsFile)))
	if after := ask(); heard(after) != heard(before) {
		t.Errorf("before the views were deleted:\n%s\nafter:\n%s", before, after)
	}
	check(t, os.Truncate(h.file(projectionsFile), 5000))
	if after := ask(); heard(after) != heard(before) {
		t.Errorf("before the views were damaged:\n%s\nafter:\n%s", before, after)
	}
}

// A folder that the appliance's user may not write to.
func TestFolderNotWritable(t *testing.T) {
	outer, err := os.MkdirTemp("", "rollcall-test-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(outer) })
	check(t, os.Chmod(outer, 0o755))
	check(t, os.Mkdir(filepath.Join(outer, "data"), 0o755))
	program := filepath.Join(outer, "rollcall")
	copyProgram(t, program)
	for _, data := range []string{"data", "new"} { // one that is there, and one that is to be made
		cmd := exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(outer, data))
		if os.Getuid() == 0 {
			const nobody = 65534
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		} else {
			check(t, os.Chmod(filepath.Join(outer, "data"), 0o555))
			check(t, os.Chmod(outer, 0o555))
			t.Cleanup(func() { os.Chmod(outer, 0o755) })
		}
		text, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != exitData {
			t.Errorf("%s: serve ended with %v, want exit code %d", data, err, exitData)
		}
		for _, part := range []string{"permission denied", "writable for the user that rollcall runs as", "--data"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s: serve says %s, want %q in it", data, text, part)
			}
		}
	}
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	from, err := os.Open(self)
	check(t, err)
	defer from.Close()
	program, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	check(t, err)
	_, err = io.Copy(program, from)
	check(t, err)
	check(t, program.Close())
}
