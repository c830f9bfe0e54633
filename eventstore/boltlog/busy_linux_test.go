package boltlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/boltlog/internal/failpoint"
	"rollcall/eventstore/boltlog/snapshot"
	"rollcall/eventstore/logtest"
	"rollcall/eventstore/verify"
)

// A busy process does everything that a log can do, in a folder of its own, until
// it is through or harm comes to it: the place where it shall die is in this
// variable, as name:count.
const envFailpoint = "ROLLCALL_TEST_FAILPOINT"

const (
	busyBatches = 70
	busySegment = 8 << 10
	crashBatch  = 3 // records
)

// kill ends this process as a crash would.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill()
	}
	select {} // until it comes
}

// busyBatch gives the batch behind a position: records, a side record under the
// last of them that is too long for one sector, and the one of two batches
// before forgotten.
func busyBatch(last eventstore.Position) eventstore.Batch {
	end := last + crashBatch
	batch := eventstore.Batch{
		Records: logtest.Records(last+1, crashBatch),
		Sides:   []eventstore.Side{busySide(end)},
	}
	if end > 2*crashBatch {
		batch.Forget = []eventstore.SideKey{busySide(end - 2*crashBatch).SideKey}
	}
	return batch
}

func busySide(end eventstore.Position) eventstore.Side {
	value := strings.Repeat(fmt.Sprint("side ", end, " "), 100)
	return eventstore.Side{SideKey: eventstore.SideKey{Position: end, Kind: 1}, Value: []byte(value)}
}

// workBusily prints each position that is durable.
func workBusily(dir string) error {
	dieAt(os.Getenv(envFailpoint))
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: busySegment})
	if err != nil {
		fmt.Fprintln(os.Stdout, "open:", err) // harm was done to it
		return nil
	}
	for n := range busyBatches {
		last, err := log.Append(context.Background(), log.Last(), busyBatch(log.Last()))
		switch {
		case err == nil:
			fmt.Println(last)
		case errors.Is(err, eventstore.ErrFull):
		case errors.Is(err, eventstore.ErrFailed):
			return stillReads(log)
		default:
			return fmt.Errorf("append: %T %w", err, err)
		}
		switch n % 25 {
		case 10:
			if err = log.Pack(); err == nil {
				_ = saveSnapshot(dir, log) // harm may come to it
			}
		case 20:
			err = log.Backup(context.Background(), filepath.Join(dir, fmt.Sprint("backup-", log.Last())))
		}
		if errors.Is(err, eventstore.ErrFailed) {
			return stillReads(log)
		}
	}
	log.Close() // harm may come to it
	return nil
}

// saveSnapshot saves what is made of the log up to the last boundary.
func saveSnapshot(dir string, log *boltlog.Log) error {
	store := snapshot.New(dir, log, "busy")
	state, err := folded(context.Background(), log, store.Newest())
	if err != nil {
		return err
	}
	return store.Save(context.Background(), broker.Snapshot{Ledger: state})
}

// folded gives what is made of the log up to a position.
func folded(ctx context.Context, log *boltlog.Log, to eventstore.Position) (domain.State, error) {
	l := domain.NewLedger()
	for r, err := range log.Read(ctx, 1) {
		if err != nil {
			return domain.State{}, err
		}
		if r.Position > to {
			break
		}
		l.Apply(r)
	}
	return l.State(), nil
}

// wantSnapshot fails where there is a snapshot that is not usable, or not of this
// log.
func wantSnapshot(t *testing.T, dir string, log *boltlog.Log) {
	t.Helper()
	got, ok, err := snapshot.New(dir, log, "busy").Load(t.Context())
	if err != nil {
		t.Errorf("the snapshot: %v", err)
	}
	if !ok {
		return
	}
	want, err := folded(t.Context(), log, got.Ledger.Position)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Ledger); diff != "" {
		t.Errorf("the snapshot (-log +snapshot):\n%s", diff)
	}
}

// stillReads checks that a log that has failed takes nothing, and reads.
func stillReads(log *boltlog.Log) error {
	last := log.Last()
	if _, err := log.Append(context.Background(), last, busyBatch(last)); !errors.Is(err, eventstore.ErrFailed) {
		return fmt.Errorf("append to a failed log: %v", err)
	}
	n := eventstore.Position(0)
	for r, err := range log.Read(context.Background(), 1) {
		if err != nil {
			return fmt.Errorf("read a failed log: %w", err)
		}
		if n++; r.Position != n {
			return fmt.Errorf("read a failed log: position %d after %d", r.Position, n-1)
		}
	}
	if n != last {
		return fmt.Errorf("read a failed log: %d records of %d", n, last)
	}
	log.Close()
	return nil
}

// anyPlace stands for every place.
const anyPlace = "any"

// dieAt has the process kill itself when it reaches a place for the so-manieth
// time.
func dieAt(place string) {
	name, count, ok := strings.Cut(place, ":")
	left, err := strconv.Atoi(count)
	if !ok || err != nil {
		return
	}
	failpoint.Hook = func(reached string) {
		if reached != name && name != anyPlace {
			return
		}
		if left--; left == 0 {
			kill()
		}
	}
}

// wantBusyLog opens what a busy process has left: whole batches, at least what
// it was told to be durable and at most one more, and their side records.
// Then the log goes on.
func wantBusyLog(t *testing.T, dir string, durable eventstore.Position) {
	t.Helper()
	defer noForks()()
	log := openWith(t, dir, boltlog.Options{SegmentSize: busySegment})
	last := log.Last()
	if last != durable && last != durable+crashBatch {
		t.Errorf("the log ends at %d; %d was durable", last, durable)
	}
	for range 3 {
		wantBusy(t, log)
		if _, err := log.Append(t.Context(), log.Last(), busyBatch(log.Last())); err != nil {
			t.Fatal(err)
		}
		pack(t, log)
		wantSnapshot(t, dir, log)
		if err := saveSnapshot(dir, log); err != nil {
			t.Error(err)
		}
		if b, ok := log.Sealed(); !ok || b.Position != log.Last() {
			t.Errorf("the chain reaches to %d of %d", b.Position, log.Last())
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = openWith(t, dir, boltlog.Options{ReadOnly: true})
	wantBusy(t, log)
	log.Close()
	backups, err := filepath.Glob(filepath.Join(dir, "backup-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range backups {
		if strings.Contains(file, ".new-") {
			continue // without its name it is none
		}
		backup, err := boltlog.OpenFile(file)
		if err != nil {
			t.Errorf("backup: %v", err)
			continue
		}
		wantBusy(t, backup)
		backup.Close()
	}
}

func wantBusy(t *testing.T, log *boltlog.Log) {
	t.Helper()
	last := log.Last()
	wantWhole(t, log, int(last))
	wantChain(t, log)
	report, err := verify.Check(t.Context(), log, verify.Options{})
	for _, kind := range []verify.Kind{verify.Damage, verify.Unknown, verify.Order, verify.Time, verify.Chain} {
		if err != nil || report.Found[kind] > 0 { // what the events mean is of no account here
			t.Errorf("verify: %v, %v", report.Findings, err)
		}
	}
	var want, got []eventstore.Side
	for _, end := range []eventstore.Position{last - crashBatch, last} {
		if last >= crashBatch && end > 0 {
			want = append(want, busySide(end))
		}
	}
	for s, err := range log.Sides(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	same := func(a, b eventstore.Side) bool { return a.SideKey == b.SideKey && bytes.Equal(a.Value, b.Value) }
	if !slices.EqualFunc(want, got, same) { // cmp would compare byte by byte
		diff := cmp.Diff(want, got)
		t.Errorf("side records of a log that ends at %d (-want +got):\n%s", last, diff)
	}
}
