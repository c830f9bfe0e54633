package boltlog_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
)

// workAgain is a process that finds a log which another one has left: it frees what is
// free, appends, takes room that is kept for that, and packs.
func workAgain(dir string) error {
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: 4 << 10})
	if err != nil {
		return err
	}
	appends := []func(context.Context, eventstore.Position, eventstore.Batch) (eventstore.Position, error){
		log.Append, log.Append, log.AppendReserved, log.AppendReserved, log.AppendReserved,
	}
	for n, do := range appends {
		if n%2 == 0 {
			if err := log.Pack(); err != nil {
				return err
			}
		}
		last, err := do(context.Background(), log.Last(), busyBatch(log.Last()))
		if err != nil {
			return err
		}
		fmt.Println(last)
	}
	return log.Close()
}

// A process is killed, so that the kernel has what no sync has brought to the disk; the
// next one goes on with that; then the power is cut. Wherever each of the two happens,
// all that either was told to be durable is there.
func TestKillThenPowerCut(t *testing.T) {
	t.Parallel()
	first := record(t, "story", after(nil, nil))
	base := inMemory(t)
	places, kills := 0, 0
	for n := range len(first) {
		if !isSync(first, n) && !(torture && first[n].kind != opNote) {
			continue
		}
		if places++; places%3 != 0 && !torture { // each takes a second with the race detector
			continue
		}
		kills++
		left := after(steps(first[:n]), nil)
		second := record(t, "again", left)
		for m := range len(second) + 1 {
			if m < len(second) && !isSync(second, m) {
				continue // as much as ever is with the kernel only in front of a sync
			}
			cutAfter(t, base, first[:n], second[:m])
			if t.Failed() {
				t.Fatalf("killed in front of op %d, %v; power cut after %v", n, first[n], second[:m])
			}
		}
	}
	if kills < 20 {
		t.Errorf("the first process was killed at %d places only", kills)
	}
}

func isSync(ops []diskOp, n int) bool {
	return ops[n].kind == opSync || ops[n].kind == opSyncDir
}

// cutAfter opens what a power cut leaves of the work of two processes.
func cutAfter(t *testing.T, base string, first, second []diskOp) {
	t.Helper()
	all := slices.Clone(first)
	for _, op := range second {
		op.covers += len(first)
		all = append(all, op)
	}
	done := steps(all)
	durable := durableAfter(all)
	exhaustive, samples := 1, 5
	if torture {
		exhaustive, samples = 3, 10
	}
	for lost := range subsets(loose(done), exhaustive, samples) {
		dir := filepath.Join(base, "log")
		after(done, lost).put(t, dir)
		log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: 4 << 10})
		if err != nil {
			t.Errorf("open: %v; lost: %v", err, describe(done, lost))
			return
		}
		// Of the first process a batch may be there that nobody was told of.
		if last := log.Last(); last < durable || last > durable+2*crashBatch {
			t.Errorf("the log ends at %d; %d was durable; lost: %v", last, durable, describe(done, lost))
		}
		wantBusy(t, log)
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}
