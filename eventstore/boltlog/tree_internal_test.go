package boltlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/logtest"
)

// Wherever a page is made to lead back to one above it, that is told, before bbolt
// comes there; and no whole file is told to be wrong.
func TestPagesThatLeadBack(t *testing.T) {
	whole := deepFile(t)
	path := filepath.Join(t.TempDir(), fileName)
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(whole)
	if err := checkTree(path); err != nil {
		t.Fatalf("a whole file: %v", err)
	}
	loops := 0
	h := newestHeader(t, path)
	for at := 2 * h.pageSize; at < int64(len(whole)); at += h.pageSize {
		if binary.LittleEndian.Uint16(whole[at+8:]) != 1 { // a branch
			continue
		}
		for n := range int64(binary.LittleEndian.Uint16(whole[at+10:])) {
			b := bytes.Clone(whole)
			binary.LittleEndian.PutUint64(b[at+pageHead+n*elementSize+8:], uint64(at/h.pageSize))
			write(b)
			if checkTree(path) == nil {
				continue // a page that nothing leads to any more
			}
			loops++
			if loops%50 == 1 {
				wantDamagedTree(t, path)
			}
		}
	}
	if loops < 100 {
		t.Errorf("%d loops were told, want 100 or more", loops)
	}
}

// A bucket whose root is no page any more is taken for one that stands in its own
// element: what stands there must be a leaf.
func TestBucketsThatLeadBack(t *testing.T) {
	whole := deepFile(t)
	path := filepath.Join(t.TempDir(), fileName)
	for _, name := range [][]byte{bucketBlocks, bucketChain, bucketSide} {
		told := 0
		for at := bytes.Index(whole, name); at >= 0; {
			b := bytes.Clone(whole)
			clear(b[at+len(name):][:8])
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if checkTree(path) != nil {
				told++
				wantDamagedTree(t, path)
			}
			next := bytes.Index(whole[at+1:], name)
			if next < 0 {
				break
			}
			at += 1 + next
		}
		if told != 1 {
			t.Errorf("%d places of the bucket %s are told, want the one that is in use", told, name)
		}
	}
}

// deepFile gives a file whose buckets have branches.
func deepFile(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	l, err := Open(dir, Options{SegmentSize: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		last := l.Last()
		batch := eventstore.Batch{Records: logtest.Records(last+1, 1)}
		for kind := range 8 {
			batch.Sides = append(batch.Sides, eventstore.Side{SideKey: eventstore.SideKey{Position: last + 1, Kind: domain.SideKind(kind + 1)}, Value: make([]byte, 100)})
		}
		if _, err := l.Append(t.Context(), last, batch); err != nil {
			t.Fatal(err)
		}
		if err := l.Pack(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newestHeader(t *testing.T, path string) header {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := readHeader(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wantDamagedTree opens what has been told to be wrong.
func wantDamagedTree(t *testing.T, path string) {
	t.Helper()
	var damage *eventstore.DamageError
	if _, err := OpenFile(path); !errors.As(err, &damage) {
		t.Errorf("OpenFile = %v, want damage", err)
	}
	if _, err := OpenDamaged(path); !errors.As(err, &damage) {
		t.Errorf("OpenDamaged = %v, want damage", err)
	}
}
