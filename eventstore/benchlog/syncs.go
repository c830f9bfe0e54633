package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// window tells when a peer wrote so many events, in microseconds of Unix time.
type window struct{ Began, Ended, Events int64 }

// writeWindow writes with one peer and prints the window.
func writeWindow(o options) error {
	i := slices.IndexFunc(makers, func(m maker) bool { return m.name == o.count })
	if i < 0 {
		return fmt.Errorf("-count %q: there is no such peer", o.count)
	}
	r, err := openRow(makers[i], filepath.Join(o.folder, "counted"))
	if err != nil {
		return err
	}
	if r == nil {
		return fmt.Errorf("-count %q: it is not installed", o.count)
	}
	began := time.Now().UnixMicro()
	_, err = r.write(o.writers[0], o.duration)
	w := window{began, time.Now().UnixMicro(), int64(r.events)}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(w), r.peer.close())
}

// countSyncs runs this program under strace, with one peer, and gives its syncs
// for each event; a number below zero where there is no strace.
func countSyncs(ctx context.Context, o options, name string, writers int) (float64, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return -1, nil
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	trace := filepath.Join(o.folder, "trace")
	cmd := exec.CommandContext(ctx, strace, "-f", "--seccomp-bpf", "-qq", "-ttt", "-o", trace,
		"-e", "trace=fsync,fdatasync,msync,sync,syncfs", "-e", "signal=none",
		self, "-count", name, "-writers", strconv.Itoa(writers), "-for", o.duration.String(), "-folder", o.folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("count the syncs of %s: %w", name, err)
	}
	var w window
	if err := json.Unmarshal(out, &w); err != nil {
		return 0, fmt.Errorf("count the syncs of %s: %w: %q", name, err, out)
	}
	n, err := w.count(trace)
	return float64(n) / float64(w.Events), err
}

// count counts the calls in a window. A line is "PID SECONDS.MICROSECONDS call(…";
// where another call came between, its end has a line of its own, "<... call
// resumed>".
func (w window) count(trace string) (n int, err error) {
	b, err := os.ReadFile(trace)
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || strings.HasPrefix(fields[2], "<...") || strings.HasPrefix(fields[2], "+++") {
			continue
		}
		at, problem := strconv.ParseInt(strings.Replace(fields[1], ".", "", 1), 10, 64)
		err = errors.Join(err, problem)
		if w.Began <= at && at <= w.Ended {
			n++
		}
	}
	return n, err
}
