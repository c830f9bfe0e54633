package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReadme runs every console block of the README, in order and in one folder,
// and compares what is printed with what stands there, but for what no two runs
// have in common.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := consoleBlocks(string(text))
	if want == "" {
		t.Fatal("the README has no console block")
	}
	dir := t.TempDir()
	output, err := os.Create(dir + "/output") // a file: nobody waits for what runs in the background
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", readmeScript(want))
	shell.Dir = dir
	shell.Env = append(os.Environ(), "HOME="+dir, "ROLLCALL_LISTEN=127.0.0.1:0", "ROLLCALL_DATA="+dir+"/data")
	shell.Stdout, shell.Stderr = output, output
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = shell.Run()
	_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // what still runs in the background
	if err != nil {
		t.Errorf("the shell: %v", err)
	}
	got, err := os.ReadFile(output.Name())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(comparable(want), comparable(string(got))); diff != "" {
		log, _ := os.ReadFile(dir + "/serve.log")
		t.Errorf("the README and the program differ (-README +program):\n%s\n%s", diff, log)
	}
}

// consoleBlocks gives the lines of all ```console blocks.
func consoleBlocks(markdown string) string {
	var lines strings.Builder
	in := false
	for line := range strings.Lines(markdown) {
		switch {
		case strings.HasPrefix(line, "```console"):
			in = true
		case strings.HasPrefix(line, "```"):
			in = false
		case in:
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// readmeScript gives a script that prints and runs each command. What runs in
// the background is waited for until it is of use.
func readmeScript(blocks string) string {
	ready := map[string]string{
		"rollcall serve":        `grep -qs 'rollcall is ready' serve.log`,
		"rollcall client login": `grep -qs 'is logged in' ada.out`,
	}
	var script strings.Builder
	for line := range strings.Lines(blocks) {
		command, isCommand := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !isCommand {
			continue
		}
		fmt.Fprintf(&script, "printf '$ %%s\\n' %s\n%s\n", quote(command), after(command))
		for part, condition := range ready {
			if strings.HasSuffix(command, "&") && strings.Contains(command, part) {
				fmt.Fprintf(&script, "for i in {1..200}; do %s && break; sleep 0.05; done\n", condition)
			}
		}
	}
	script.WriteString("exit 0\n")
	return script.String()
}

// after gives a command as it is to be run so that the next one sees its exit
// code, which printing would hide.
func after(command string) string { return "(exit ${code:-0}); " + command + "\ncode=$?" }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// inConstant are what differs from run to run, and its stand-in.
var inConstant = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`in [\d.]+(µs|ms|s) \(\d+ a second\)`), "in DURATION (RATE a second)"},
	{regexp.MustCompile(`(longest_idle=|retry_after=|try again in )[0-9a-zµ.]+`), "${1}DURATION"},
	{regexp.MustCompile(`(had been idle for )\d[0-9a-zµ.]*`), "${1}DURATION"},
	{regexp.MustCompile(`address=\S+`), "address=ADDRESS"},
	{regexp.MustCompile(`/\S+/office.backup: (\d+) events, \d+ bytes`), "office.backup: $1 events, SIZE bytes"},
	{regexp.MustCompile(` +`), " "},
}

func comparable(text string) []string {
	for _, c := range inConstant {
		text = c.what.ReplaceAllString(text, c.as)
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}
