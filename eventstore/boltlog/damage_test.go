package boltlog_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/logtest"
)

// readAll reads a whole log, fails where a record is not the one that was
// written, and gives how many came before the end or the error.
func readAll(t testing.TB, log eventstore.Reader) (n int, err error) {
	t.Helper()
	for r, err := range log.Read(t.Context(), 1) {
		if err != nil {
			return n, err
		}
		n++
		if want := logtest.Records(eventstore.Position(n), 1)[0]; !reflect.DeepEqual(want, r) {
			t.Fatalf("Read gives %v, want %v", r, want)
		}
	}
	return n, nil
}

const damagedRecords = 400

// intact gives the bytes of a log of a good many pages.
func intact(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	log := open(t, dir)
	for i := range eventstore.Position(40) {
		batch := eventstore.Batch{
			Records: logtest.Records(10*i+1, 10),
			Sides:   []eventstore.Side{{SideKey: eventstore.SideKey{Position: i + 1, Kind: domain.SideAddress}, Value: []byte("192.0.2.1:4711")}},
		}
		if _, err := log.Append(t.Context(), 10*i, batch); err != nil {
			t.Fatal(err)
		}
		pack(t, log)
	}
	backup := filepath.Join(dir, "backup")
	if err := errors.Join(log.Backup(t.Context(), backup), log.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pack(t testing.TB, log *boltlog.Log) {
	t.Helper()
	if err := log.Pack(); err != nil {
		t.Fatal(err)
	}
}

// fillPacked fills a log with blocks of so many records.
func fillPacked(t testing.TB, log *boltlog.Log, n, size int) {
	t.Helper()
	for range n / size {
		logtest.Fill(t, log, size, size)
		pack(t, log)
	}
}

// examine opens bytes as a log and reads all of it. What it finds is either the
// whole log or a DamageError, never anything else.
func examine(t *testing.T, file string, b []byte) (damaged bool) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := boltlog.OpenFile(file)
	if err != nil {
		return isDamage(t, err)
	}
	defer log.Close()
	n, err := readAll(t, log)
	if err != nil {
		return isDamage(t, err)
	}
	if n != damagedRecords {
		t.Errorf("%d records of %d are left, and no word of it", n, damagedRecords)
	}
	for _, err := range log.Sides(t.Context()) {
		if err != nil {
			return isDamage(t, err)
		}
	}
	return false
}

func isDamage(t *testing.T, err error) bool {
	t.Helper()
	if damage := (*eventstore.DamageError)(nil); !errors.As(err, &damage) {
		t.Errorf("got %T %v, want a DamageError", err, err)
	}
	return true
}

func TestIntact(t *testing.T) {
	if examine(t, filepath.Join(t.TempDir(), "log.db"), intact(t)) {
		t.Error("an intact log is told to be damaged")
	}
}

// However short a file has been cut, that is noticed.
func TestCut(t *testing.T) {
	whole := intact(t)
	file := filepath.Join(t.TempDir(), "log.db")
	used := usedBytes(whole)
	lengths := []int{0, 1, 15, 16, 79, 80, 4095, 4096, 4097, 4096 + 80, 8191, 8192, used - 1}
	step, from := 1777, 1000
	if torture {
		step, from = 1, used-4*os.Getpagesize()
	}
	for n := from; n < used; n += step {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		if !examine(t, file, whole[:n]) {
			t.Errorf("cut to %d of %d bytes: not noticed", n, used)
		}
	}
}

// usedBytes gives how much of a bbolt file its newest header says is in use.
func usedBytes(b []byte) int {
	size := binary.LittleEndian.Uint32(b[24:])
	pages := max(binary.LittleEndian.Uint64(b[56:]), binary.LittleEndian.Uint64(b[uint64(size)+56:]))
	return int(pages) * int(size)
}

// A flipped bit is noticed, or does not matter because nothing lies there.
func TestFlippedBits(t *testing.T) {
	whole := intact(t)
	file := filepath.Join(t.TempDir(), "log.db")
	random := rand.New(rand.NewPCG(1, 2))
	noticed, flips := 0, 500
	if torture {
		flips = 160 + usedBytes(whole)
	}
	for i := range flips {
		at := random.IntN(len(whole))
		switch {
		case i < 160:
			at = i%80 + i/80*os.Getpagesize() // the two headers, byte by byte
		case torture:
			at = i - 160
		}
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 1 << random.IntN(8)
		if examine(t, file, flipped) {
			noticed++
		}
		if t.Failed() {
			t.Fatalf("with a bit of byte %d flipped", at)
		}
	}
	if noticed < 50 {
		t.Errorf("only %d flipped bits noticed; is anything looked at?", noticed)
	}
}

// sealed gives a value as the log stores it.
func sealed(key, value string) []byte {
	sum := crc32.Checksum([]byte(key+value), castagnoli)
	return binary.BigEndian.AppendUint32([]byte(value), sum)
}

// What is damaged in the middle is told with its positions, and the rest can
// still be read.
func TestDamageNamesPositions(t *testing.T) {
	key := func(p uint64) []byte { return binary.BigEndian.AppendUint64(nil, p) }
	tests := map[string]struct {
		change func(blocks *bbolt.Bucket) error
		want   eventstore.DamageError
	}{
		"a wrong bit": {
			func(b *bbolt.Bucket) error {
				value := append([]byte(nil), b.Get(key(11))...)
				value[9] ^= 4
				return b.Put(key(11), value)
			},
			eventstore.DamageError{From: 11},
		},
		"a missing block": {
			func(b *bbolt.Bucket) error { return b.Delete(key(11)) },
			eventstore.DamageError{From: 11, To: 20},
		},
		"a block in another's place": {
			func(b *bbolt.Bucket) error { return b.Put(key(11), b.Get(key(1))) },
			eventstore.DamageError{From: 11},
		},
		"a block that says it is another": {
			func(b *bbolt.Bucket) error {
				value := string(b.Get(key(1)))
				return b.Put(key(11), sealed(string(key(11)), value[:len(value)-4]))
			},
			eventstore.DamageError{From: 11},
		},
		"a block of an unknown kind": {
			func(b *bbolt.Bucket) error { return b.Put(key(11), sealed(string(key(11)), "\x63abc")) },
			eventstore.DamageError{From: 11},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := open(t, dir)
			fillPacked(t, log, 40, 10)
			log.Close()
			change(t, dir, func(tx *bbolt.Tx) error { return test.change(tx.Bucket([]byte("blocks"))) })
			log = open(t, dir)
			n, err := readAll(t, log)
			var got *eventstore.DamageError
			if !errors.As(err, &got) || n != 10 || got.From != test.want.From || got.To != test.want.To {
				t.Errorf("%d records, then %v; want 10, then damage from %d to %d", n, err, test.want.From, test.want.To)
			}
			for r, err := range log.Read(t.Context(), 21) {
				if err != nil || r.Position != 21 {
					t.Errorf("Read(21) = %v, %v", r, err)
				}
				break
			}
		})
	}
}

// Blocks that are missing at the end are noticed when the log is opened.
func TestMissingEnd(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	fillPacked(t, log, 40, 10)
	log.Close()
	change(t, dir, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("blocks")).Delete(binary.BigEndian.AppendUint64(nil, 31))
	})
	_, err := boltlog.Open(dir, boltlog.Options{})
	if damage := (*eventstore.DamageError)(nil); !errors.As(err, &damage) || damage.From != 31 {
		t.Errorf("Open = %v, want damage from position 31 on", err)
	}
}
