package journal

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rollcall/eventstore"
)

// envStraced is the folder of the journal that a process under strace appends to.
const envStraced = "ROLLCALL_TEST_JOURNAL"

const straceFrames = 20

// TestAppendUnderStrace is that process.
func TestAppendUnderStrace(t *testing.T) {
	dir := os.Getenv(envStraced)
	if dir == "" {
		t.Skip("TestKernelRefusesDirectWrite runs it")
	}
	runtime.LockOSThread() // strace counts the calls of a thread
	j, _, err := Open(dir, Expect{ID: testID}, testSegment, false)
	if err != nil {
		t.Fatal(err)
	}
	for n := range straceFrames {
		if _, err := j.Append(eventstore.Position(n), eventstore.Position(n+1), content(n, 100), false); err != nil {
			t.Fatal(err)
		}
	}
}

// A write that the kernel refuses as one past the page cache does not end the journal.
func TestKernelRefusesDirectWrite(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
			t.Fatal("strace is needed and not installed; install the package strace")
		}
		t.Skip("strace is not installed")
	}
	dir := filepath.Join(t.TempDir(), "journal")
	if err := Create(dir, testID, testSegment); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, segmentName(1))
	direct := openDirect(first)
	if direct == nil {
		t.Skip("this file system takes no writes past the page cache")
	}
	direct.Close()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", trace, "-P", first,
		"-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EINVAL:when=1", os.Args[0], "-test.run", "^TestAppendUnderStrace$")
	cmd.Env = append(os.Environ(), envStraced+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if b, err := os.ReadFile(trace); err != nil || strings.Count(string(b), "(INJECTED)") != 1 {
		t.Errorf("want one write refused, %v:\n%s", err, b)
	}
	wantFrames(t, folder(dir), straceFrames)
}
