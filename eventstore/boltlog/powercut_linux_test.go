package boltlog_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
)

// tellStory is a process that has a log do a little of everything: it is made,
// written, packed, so that segments are zeroed and used again, closed, opened,
// compacted, and written again.
func tellStory(dir string) error {
	options := boltlog.Options{SegmentSize: 4 << 10}
	for chapter := range 3 {
		log, err := boltlog.Open(dir, options)
		if err != nil {
			return err
		}
		for n := range 5 {
			last, err := log.Append(context.Background(), log.Last(), busyBatch(log.Last()))
			if err != nil {
				return err
			}
			fmt.Println(last)
			if n%2 == 1 {
				if err := log.Pack(); err != nil {
					return err
				}
			}
		}
		if err := log.Close(); err != nil {
			return err
		}
		if chapter == 1 {
			if err := boltlog.CompactWith(context.Background(), dir, options); err != nil {
				return err
			}
		}
	}
	return nil
}

// record gives what a process in a role does to its disk, on which there is something
// before it.
func record(t *testing.T, role string, before *disk) []diskOp {
	t.Helper()
	dir, trace := filepath.Join(inMemory(t), "log"), filepath.Join(t.TempDir(), "trace")
	before.put(t, dir)
	child := child(t, role, dir)
	cmd := exec.CommandContext(t.Context(), strace(t), append([]string{
		"-f", "-qq", "-y", "-xx", "-s", "2000000", "-e", "signal=none", "-e", "trace=" + traced, "-o", trace,
	}, child.Args...)...)
	cmd.Env = child.Env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	return readTrace(t, trace, dir, before)
}

// inMemory gives a folder that is not on a disk, where there is such a thing.
func inMemory(t *testing.T) string {
	t.Helper()
	memory, err := os.MkdirTemp("/dev/shm", "rollcall-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(memory) })
	return memory
}

// durableAfter gives the last position that a process has told to be durable.
func durableAfter(ops []diskOp) (last eventstore.Position) {
	for _, op := range ops {
		if op.kind == opNote {
			last = eventstore.Position(op.note)
		}
	}
	return last
}

// What a disk writes as a whole.
const sector = 512

// steps cuts the writes into sectors.
func steps(ops []diskOp) []diskOp {
	var all []diskOp
	first := make([]int, len(ops)+1) // of the steps of each op
	for i, op := range ops {
		first[i] = len(all)
		op.covers = first[op.covers]
		if op.kind != opWrite {
			all = append(all, op)
			continue
		}
		for at, data := op.at, op.data; len(data) > 0; {
			n := min(int64(len(data)), sector-at%sector)
			all = append(all, diskOp{kind: opWrite, file: op.file, at: at, data: data[:n]})
			at, data = at+n, data[n:]
		}
	}
	return all
}

// loose gives the steps that no sync covers: each of them may or may not be on the
// disk when the power is cut.
func loose(steps []diskOp) (all []int) {
	files, folders := make(map[int]int), make(map[string]int) // how far they are covered
	for _, s := range steps {
		switch s.kind {
		case opSync:
			files[s.file] = max(files[s.file], s.covers)
		case opSyncDir:
			folders[s.name] = max(folders[s.name], s.covers)
		}
	}
	for i, s := range steps {
		switch s.kind {
		case opWrite, opTruncate:
			if files[s.file] <= i {
				all = append(all, i)
			}
		case opCreate, opMkdir, opRename, opLink, opRemove:
			if folders[filepath.Dir(s.name)] <= i {
				all = append(all, i)
			}
		}
	}
	return all
}

// disk is what is on a disk.
type disk struct {
	names   map[string]int
	folders map[string]bool
	files   map[int][]byte
}

// after gives the disk on which the steps are done but for those lost.
func after(steps []diskOp, lost map[int]bool) *disk {
	d := &disk{make(map[string]int), make(map[string]bool), make(map[int][]byte)}
	for i, s := range steps {
		if !lost[i] {
			d.do(s)
		}
	}
	return d
}

func (d *disk) do(s diskOp) {
	switch s.kind {
	case opCreate:
		d.names[s.name] = s.file
	case opMkdir:
		d.folders[s.name] = true
	case opWrite:
		b := d.files[s.file]
		if need := int(s.at) + len(s.data) - len(b); need > 0 {
			b = append(b, make([]byte, need)...)
		}
		copy(b[s.at:], s.data)
		d.files[s.file] = b
	case opTruncate:
		b := d.files[s.file]
		d.files[s.file] = append(b, make([]byte, max(0, int(s.at)-len(b)))...)[:s.at]
	case opLink:
		d.names[s.to] = s.file
	case opRemove:
		delete(d.names, s.name)
		delete(d.folders, s.name)
	case opRename:
		d.rename(s)
	}
}

func (d *disk) rename(s diskOp) {
	if s.file != 0 {
		delete(d.names, s.name)
		d.names[s.to] = s.file
		return
	}
	delete(d.folders, s.name)
	d.folders[s.to] = true
	for name, file := range d.names {
		if rest, in := strings.CutPrefix(name, s.name+"/"); in {
			delete(d.names, name)
			d.names[s.to+"/"+rest] = file
		}
	}
}

// put writes what is on the disk to a folder. A file with two names has both.
func (d *disk) put(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name := range d.folders {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	written := make(map[int]string)
	for name, file := range d.names {
		path := filepath.Join(dir, name)
		if parent := filepath.Dir(name); parent != "." && !d.folders[parent] {
			continue // its folder is gone
		}
		err := error(nil)
		if first := written[file]; first != "" {
			err = os.Link(first, path)
		} else {
			err = os.WriteFile(path, d.files[file], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		written[file] = path
	}
}

// After a power cut at any step of a log's life, whichever of the writes and names
// are lost that no sync covers, all that was durable is there, nothing half, and
// the log goes on. Every write of log.db is among them, as strace has seen it.
func TestPowerCut(t *testing.T) {
	ops := record(t, "story", after(nil, nil))
	exhaustive, samples := 2, 5
	if torture {
		exhaustive, samples = 9, 400
	}
	base := inMemory(t)
	states, packs := 0, 0
	for n := range len(ops) + 1 {
		if n < len(ops) && ops[n].kind == opNote {
			continue // the disk is as it was one op before
		}
		done := steps(ops[:n])
		durable := durableAfter(ops[:n])
		for lost := range subsets(loose(done), exhaustive, samples) {
			states++
			dir := filepath.Join(base, "log")
			after(done, lost).put(t, dir)
			wantCutLog(t, dir, durable)
			if t.Failed() {
				t.Fatalf("power cut after op %d, %v; lost: %v", n, ops[max(0, n-12):n], describe(done, lost))
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, op := range ops {
		if op.kind == opRename && strings.HasPrefix(op.to, "journal/new-") {
			packs++
		}
	}
	if packs == 0 {
		t.Error("no segment was used again: this test shows less than it should")
	}
	t.Logf("%d ops, %d states of the disk, %d segments used again", len(ops), states, packs)
}

func describe(done []diskOp, lost map[int]bool) (texts []string) {
	for i := range done {
		if lost[i] {
			texts = append(texts, done[i].String())
		}
	}
	return texts
}

// wantCutLog opens what a power cut has left, twice, and goes on in between.
func wantCutLog(t *testing.T, dir string, durable eventstore.Position) {
	t.Helper()
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: 4 << 10})
	if err != nil {
		t.Errorf("open: %v", err)
		return
	}
	defer log.Close()
	if last := log.Last(); last != durable && last != durable+crashBatch {
		t.Errorf("the log ends at %d; %d was durable", last, durable)
	}
	for range 2 {
		wantBusy(t, log)
		if _, err := log.Append(t.Context(), log.Last(), busyBatch(log.Last())); err != nil {
			t.Error(err)
		}
		if err := log.Pack(); err != nil {
			t.Error(err)
		}
	}
	wantBusy(t, log)
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	again, err := boltlog.Open(dir, boltlog.Options{ReadOnly: true})
	if err != nil {
		t.Errorf("open again: %v", err)
		return
	}
	defer again.Close()
	wantBusy(t, again)
}

// subsets gives every subset of the steps if they are few, else a number of random
// ones, and the two extremes.
func subsets(loose []int, exhaustive, samples int) func(func(map[int]bool) bool) {
	return func(yield func(map[int]bool) bool) {
		if len(loose) <= exhaustive {
			for bits := range 1 << len(loose) {
				if !yield(subset(loose, func(i int) bool { return bits>>i&1 == 1 })) {
					return
				}
			}
			return
		}
		random := rand.New(rand.NewPCG(uint64(len(loose)), 1))
		for n := range samples {
			p := float64(n%5) / 4
			if !yield(subset(loose, func(int) bool { return random.Float64() < p })) {
				return
			}
		}
	}
}

func subset(loose []int, in func(i int) bool) map[int]bool {
	lost := make(map[int]bool)
	for i, step := range loose {
		if in(i) {
			lost[step] = true
		}
	}
	return lost
}
