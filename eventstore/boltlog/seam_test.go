package boltlog_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// halfPacked gives a log of which a part lies in the database and a part in the
// journal.
func halfPacked(t testing.TB) *boltlog.Log {
	log := openSmall(t, t.TempDir())
	fillPacked(t, log, 90, 30)
	logtest.Fill(t, log, 70, 7)
	return log
}

func blocks(t testing.TB, log *boltlog.Log, from eventstore.Position) (records []eventstore.Record) {
	t.Helper()
	for some, err := range log.Blocks(t.Context(), from) {
		if err != nil {
			t.Fatalf("Blocks(%d): %v", from, err)
		}
		for _, r := range some {
			r.Event = copyEvent(r.Event)
			records = append(records, r)
		}
	}
	return records
}

// copyEvent copies an event out of a slice that is about to be used again.
func copyEvent(e domain.Event) domain.Event {
	c := reflect.New(reflect.TypeOf(e).Elem())
	c.Elem().Set(reflect.ValueOf(e).Elem())
	return c.Interface().(domain.Event)
}

// Reading from any position gives the same, one at a time and many, on either side
// of the seam.
func TestSeamFromAnywhere(t *testing.T) {
	log := halfPacked(t)
	for from := range eventstore.Position(162) {
		var want []eventstore.Record
		if n := 161 - max(int(from), 1); n > 0 {
			want = logtest.Records(max(from, 1), n)
		}
		var got []eventstore.Record
		for r, err := range log.Read(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Read(%d) (-want +got):\n%s", from, diff)
		}
		if diff := cmp.Diff(want, blocks(t, log, from)); diff != "" {
			t.Fatalf("Blocks(%d) (-want +got):\n%s", from, diff)
		}
	}
}

// For an event nothing is allocated: what a reading allocates is for the
// transactions, one for some thousand events.
func TestBlocksAllocateNothingForAnEvent(t *testing.T) {
	log := open(t, t.TempDir())
	town := logtest.NewTown(1000)
	for log.Last() < 50_000 {
		if _, err := log.Append(t.Context(), log.Last(), eventstore.Batch{Records: town.Records(5000)}); err != nil {
			t.Fatal(err)
		}
	}
	pack(t, log)
	read := func() {
		for _, err := range log.Blocks(t.Context(), 1) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := testing.AllocsPerRun(20, read) / float64(log.Last()); n > 0.02 {
		t.Errorf("Blocks takes %.3f allocations an event, want about none", n)
	}
}

func TestBlocksEnds(t *testing.T) {
	log := halfPacked(t)
	for range log.Blocks(t.Context(), 1) {
		break // harms nobody
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var err error
	for _, err = range log.Blocks(ctx, 1) {
		cancel()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Blocks until cancelled = %v", err)
	}
	log.Close()
	for _, err = range log.Blocks(t.Context(), 1) {
	}
	if !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Blocks after Close = %v", err)
	}
}

// While batches are appended and packed, followers get every record once and in
// order, and readers all there is.
func TestSeamUnderLoad(t *testing.T) {
	const total = 12_000
	log := openWith(t, t.TempDir(), boltlog.Options{SegmentSize: 64 << 10})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			next := eventstore.Position(1)
			for r, err := range log.Follow(t.Context(), 1) {
				if err != nil || r.Position != next {
					t.Errorf("Follow gives %d, %v; want %d", r.Position, err, next)
					return
				}
				if next++; next > total {
					return
				}
			}
		})
	}
	wg.Go(func() {
		for log.Last() < total {
			if err := log.Pack(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		for n := 0; n < total; {
			least := log.Last()
			if n = len(blocks(t, log, 1)); n < int(least) {
				t.Errorf("Blocks gives %d records of %d", n, least)
				return
			}
		}
	})
	logtest.Fill(t, log, total, 25)
	wg.Wait()
}

// Side records are found wherever they lie, and what the journal says of one holds
// against what the database says.
func TestSidesAcrossTheSeam(t *testing.T) {
	log := openSmall(t, t.TempDir())
	logtest.Fill(t, log, 10, 10)
	write := func(batch eventstore.Batch) {
		t.Helper()
		if _, err := log.Append(t.Context(), 10, batch); err != nil {
			t.Fatal(err)
		}
	}
	var want []eventstore.Side
	for p := range eventstore.Position(10) {
		key := eventstore.SideKey{Position: p + 1, Kind: 1}
		write(eventstore.Batch{Sides: []eventstore.Side{{SideKey: key, Value: []byte("packed")}}})
		switch p % 3 {
		case 0:
			want = append(want, eventstore.Side{SideKey: key, Value: []byte("packed")})
		case 1:
			want = append(want, eventstore.Side{SideKey: key, Value: []byte("changed")})
		}
	}
	pack(t, log)
	for p := range eventstore.Position(10) {
		key := eventstore.SideKey{Position: p + 1, Kind: 1}
		switch p % 3 {
		case 1:
			write(eventstore.Batch{Sides: []eventstore.Side{{SideKey: key, Value: []byte("changed")}}})
		case 2:
			write(eventstore.Batch{Forget: []eventstore.SideKey{key}})
		}
	}
	check := func(when string) {
		t.Helper()
		var got []eventstore.Side
		for s, err := range log.Sides(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s)
			value, ok, err := log.Side(t.Context(), s.SideKey)
			if string(value) != string(s.Value) || !ok || err != nil {
				t.Errorf("%s: Side(%v) = %q, %v, %v; want %q", when, s.SideKey, value, ok, err, s.Value)
			}
		}
		if diff := cmp.Diff(want, sidesOf(t, log, 12)); diff != "" {
			t.Errorf("%s: SidesOf (-want +got):\n%s", when, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		if value, ok, err := log.Side(t.Context(), eventstore.SideKey{Position: 3, Kind: 1}); ok || err != nil {
			t.Errorf("%s: Side of what was forgotten = %q, %v", when, value, err)
		}
	}
	check("in the journal")
	pack(t, log)
	check("packed")
}

// sidesOf looks up the side records of two kinds under every position up to one.
func sidesOf(t *testing.T, log *boltlog.Log, last eventstore.Position) (found []eventstore.Side) {
	t.Helper()
	var keys []eventstore.SideKey
	for p := range last {
		keys = append(keys, eventstore.SideKey{Position: p + 1, Kind: 1}, eventstore.SideKey{Position: p + 1, Kind: 9})
	}
	for s, err := range log.SidesOf(t.Context(), keys) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, s)
	}
	return found
}

// Whichever side records are asked for, those of them that are there are given, near
// or far from each other, and also behind the last.
func TestSidesOfSome(t *testing.T) {
	log := open(t, t.TempDir())
	const n = 3000
	logtest.Fill(t, log, n, n)
	batch := eventstore.Batch{}
	for p := eventstore.Position(1); p <= n; p++ {
		if p%7 == 0 {
			continue
		}
		for kind := range domain.SideKind(p%4 + 1) {
			key := eventstore.SideKey{Position: p, Kind: kind + 1}
			batch.Sides = append(batch.Sides, eventstore.Side{SideKey: key, Value: fmt.Append(nil, key)})
		}
	}
	if _, err := log.Append(t.Context(), n, batch); err != nil {
		t.Fatal(err)
	}
	pack(t, log)
	for _, step := range []int{1, 2, 3, 5, 50, 1000} {
		var keys []eventstore.SideKey
		var want []eventstore.Side
		for p := eventstore.Position(1); p <= n+5; p += eventstore.Position(step) {
			keys = append(keys, eventstore.SideKey{Position: p, Kind: 2})
		}
		for _, s := range batch.Sides {
			if slices.Contains(keys, s.SideKey) {
				want = append(want, s)
			}
		}
		var got []eventstore.Side
		for s, err := range log.SidesOf(t.Context(), keys) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("every %d. (-want +got):\n%s", step, diff)
		}
	}
}

// Many side records lie on several pages, of which some keys are the journal's.
func TestSidePages(t *testing.T) {
	log := openWith(t, t.TempDir(), boltlog.Options{SegmentSize: 2 << 20})
	const n = 40
	logtest.Fill(t, log, n, n)
	for _, some := range [][]int{{0, 2}, {1, 2}} {
		var batch eventstore.Batch
		for p := some[0]; p < n; p += some[1] {
			batch.Sides = append(batch.Sides, eventstore.Side{SideKey: eventstore.SideKey{Position: eventstore.Position(p + 1), Kind: 1}, Value: make([]byte, 40<<10)})
		}
		if some[0] == 1 {
			pack(t, log)
		}
		if _, err := log.Append(t.Context(), n, batch); err != nil {
			t.Fatal(err)
		}
	}
	var got []eventstore.Position
	for s, err := range log.Sides(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Position)
	}
	if len(got) != n || !slices.IsSorted(got) {
		t.Errorf("Sides gives %v", got)
	}
}

// A log of which the journal holds batches is the same opened for reading, copied
// while it is closed, and backed up.
func TestJournalIsReadEverywhere(t *testing.T) {
	dir := t.TempDir()
	log := openSmall(t, dir)
	fillPacked(t, log, 30, 10)
	logtest.Fill(t, log, 30, 4)
	backup := fmt.Sprintf("%s/backup", t.TempDir())
	if err := errors.Join(log.Backup(t.Context(), backup), log.Close()); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*boltlog.Log, error){
		"the folder for reading": func() (*boltlog.Log, error) { return boltlog.Open(dir, boltlog.Options{ReadOnly: true}) },
		"its log.db":             func() (*boltlog.Log, error) { return boltlog.OpenFile(dir + "/log.db") },
		"a backup":               func() (*boltlog.Log, error) { return boltlog.OpenFile(backup) },
	} {
		reader, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantWhole(t, reader, 60)
		reader.Close()
	}
}
