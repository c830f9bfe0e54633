package boltlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// appendAndPack appends so many batches and makes a block of each.
func appendAndPack(t *testing.T, log *boltlog.Log, batches int) {
	t.Helper()
	for range batches {
		last := log.Last()
		if _, err := log.Append(t.Context(), last, eventstore.Batch{Records: logtest.Records(last+1, 10)}); err != nil {
			t.Fatal(err)
		}
		pack(t, log)
	}
}

// boundaries gives every boundary there is, and checks the chain.
func boundaries(t *testing.T, log *boltlog.Log) (all []eventstore.Boundary) {
	t.Helper()
	for p := range log.Last() {
		b, ok, err := log.BoundaryAt(t.Context(), p+1)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			all = append(all, b)
		}
	}
	wantChain(t, log)
	return all
}

func wantChain(t *testing.T, log *boltlog.Log, want ...string) {
	t.Helper()
	var got []string
	for err := range log.CheckChain(t.Context()) {
		if bad := (*eventstore.ChainError)(nil); errors.As(err, &bad) {
			got = append(got, fmt.Sprintf("%d-%d", bad.From, bad.To))
		} else {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the chain is wrong at (-want +got):\n%s", diff)
	}
}

func TestChain(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	if b, ok := log.Sealed(); ok {
		t.Errorf("an empty log is sealed at %d", b.Position)
	}
	appendAndPack(t, log, 3)
	first := boundaries(t, log)
	if len(first) != 3 || first[2].Position != 30 {
		t.Fatalf("boundaries: %v", first)
	}
	if got, ok := log.Sealed(); !ok || got != first[2] {
		t.Errorf("sealed at %v, %v; want %v", got, ok, first[2])
	}
	reopened := reopen(t, log, dir)
	if got, ok := reopened.Sealed(); !ok || got != first[2] {
		t.Errorf("opened again it is sealed at %v, %v; want %v", got, ok, first[2])
	}
	appendAndPack(t, reopened, 1)
	if diff := cmp.Diff(first, boundaries(t, reopened)[:3]); diff != "" {
		t.Errorf("boundaries have changed (-before +after):\n%s", diff)
	}
}

func TestBoundaryUpTo(t *testing.T) {
	log := open(t, t.TempDir())
	wantUpTo := func(at, want domain.Position) {
		t.Helper()
		b, err := log.BoundaryUpTo(t.Context(), at)
		if err != nil || b.Position != want {
			t.Errorf("the last boundary up to %d is at %d, %v; want %d", at, b.Position, err, want)
		}
		if known, ok, err := log.BoundaryAt(t.Context(), want); want > 0 && (!ok || err != nil || known != b) {
			t.Errorf("the boundary at %d is %v, %v, %v; want %v", want, known, ok, err, b)
		}
	}
	wantUpTo(5, 0)
	appendAndPack(t, log, 3)
	for at, want := range map[domain.Position]domain.Position{0: 0, 9: 0, 10: 10, 11: 10, 29: 20, 30: 30, 31: 30} {
		wantUpTo(at, want)
	}
}

func reopen(t *testing.T, log *boltlog.Log, dir string) *boltlog.Log {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

// A backup has the chain of its log, up to where the journal began; from there on
// its blocks are its own.
func TestBackupHasTheChain(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	appendAndPack(t, log, 3)
	if _, err := log.Append(t.Context(), 30, eventstore.Batch{Records: logtest.Records(31, 5)}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "backup.db")
	if err := log.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	backup, err := boltlog.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	got := boundaries(t, backup)
	if diff := cmp.Diff(boundaries(t, log), got[:3]); diff != "" || len(got) != 4 || got[3].Position != 35 {
		t.Errorf("boundaries of the backup: %v (-log +backup)\n%s", got, diff)
	}
}

func TestCompactKeepsTheChain(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	appendAndPack(t, log, 3)
	before := boundaries(t, log)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := boltlog.Compact(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, boundaries(t, open(t, dir))); diff != "" {
		t.Errorf("boundaries have changed (-before +after):\n%s", diff)
	}
}

// Two histories that have the same beginning and the same lengths have different
// digests from where they part.
func TestChainTellsHistoriesApart(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	log := open(t, dir)
	appendAndPack(t, log, 1)
	if err := log.Backup(t.Context(), filepath.Join(other, "log.db")); err != nil {
		t.Fatal(err)
	}
	appendAndPack(t, log, 2)
	restored := open(t, other)
	for range 2 {
		last := restored.Last()
		records := logtest.Records(last+1, 10)
		for i := range records {
			records[i].Event = &domain.BrokerStarted{Version: "another"}
		}
		if _, err := restored.Append(t.Context(), last, eventstore.Batch{Records: records}); err != nil {
			t.Fatal(err)
		}
		pack(t, restored)
	}
	a, b := boundaries(t, log), boundaries(t, restored)
	for i := range a {
		if same := a[i] == b[i]; a[i].Position != b[i].Position || same != (i == 0) {
			t.Errorf("boundary %d: %v and %v", i, a[i], b[i])
		}
	}
}

// changeChain changes the bucket chain of a closed log.
func changeChain(t *testing.T, dir string, change func(tx *bbolt.Tx, chain *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "log.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return change(tx, tx.Bucket([]byte("chain"))) })
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// An earlier version writes blocks and no links: all of them, or those at the end.
func TestChainCatchesUp(t *testing.T) {
	cases := []struct {
		name   string
		before func(*bbolt.Tx, *bbolt.Bucket) error
	}{
		{"no chain", func(tx *bbolt.Tx, _ *bbolt.Bucket) error { return tx.DeleteBucket([]byte("chain")) }},
		{"no link at the end", func(_ *bbolt.Tx, chain *bbolt.Bucket) error { return chain.Delete(key(30)) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			log := open(t, dir)
			appendAndPack(t, log, 3)
			want := boundaries(t, log)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			changeChain(t, dir, c.before)
			log = open(t, dir)
			pack(t, log)
			if diff := cmp.Diff(want, boundaries(t, log)); diff != "" {
				t.Errorf("boundaries (-before +after):\n%s", diff)
			}
			appendAndPack(t, log, 1)
			if got := boundaries(t, log); len(got) != 4 {
				t.Errorf("the chain does not go on: %v", got)
			}
		})
	}
}

func key(p byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, p} }

// A link that is not right is never used and never written over; compacting makes
// the chain anew.
func TestDamagedChain(t *testing.T) {
	flip := func(at byte) func(*bbolt.Tx, *bbolt.Bucket) error {
		return func(_ *bbolt.Tx, chain *bbolt.Bucket) error {
			link := slices.Clone(chain.Get(key(at)))
			link[5] ^= 1
			return chain.Put(key(at), link)
		}
	}
	cases := []struct {
		name   string
		damage func(*bbolt.Tx, *bbolt.Bucket) error
		sealed bool
		want   []string
	}{
		{"in the middle", flip(20), true, []string{"11-20"}},
		{"at the end", flip(30), false, []string{"21-30", "31-40"}},
		{"missing in the middle", func(_ *bbolt.Tx, chain *bbolt.Bucket) error { return chain.Delete(key(20)) }, true, []string{"11-20"}},
		{"past the end", func(_ *bbolt.Tx, chain *bbolt.Bucket) error { return chain.Put(key(99), chain.Get(key(30))) }, false, []string{"31-40"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			log := open(t, dir)
			appendAndPack(t, log, 3)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			changeChain(t, dir, c.damage)
			log = open(t, dir)
			if _, ok := log.Sealed(); ok != c.sealed {
				t.Errorf("sealed: %v, want %v", ok, c.sealed)
			}
			appendAndPack(t, log, 1)
			wantChain(t, log, c.want...)
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := boltlog.Compact(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			log = open(t, dir)
			if got := boundaries(t, log); len(got) != 4 {
				t.Errorf("boundaries of the compacted log: %v", got)
			}
		})
	}
}

// BenchmarkChain tells what the links take of packing: the digest of a block.
func BenchmarkChain(b *testing.B) {
	log, size := townLog(b, 1_000_000)
	b.ResetTimer()
	for b.Loop() {
		for err := range log.CheckChain(b.Context()) {
			b.Fatal(err)
		}
	}
	b.SetBytes(size)
}

// Where the last link is damaged the ones in front of it are told all the same.
func TestBoundaryInFrontOfADamagedLink(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	appendAndPack(t, log, 5)
	log.Close()
	change(t, dir, func(tx *bbolt.Tx) error {
		chain := tx.Bucket([]byte("chain"))
		key, link := chain.Cursor().Last()
		link = bytes.Clone(link)
		link[0] ^= 1
		return chain.Put(bytes.Clone(key), link)
	})
	log = open(t, dir)
	for at, want := range map[domain.Position]domain.Position{30: 30, 45: 40, 50: 40, 99: 40} {
		if b, err := log.BoundaryUpTo(t.Context(), at); err != nil || b.Position != want {
			t.Errorf("the last boundary up to %d is at %d, %v; want %d", at, b.Position, err, want)
		}
	}
}
