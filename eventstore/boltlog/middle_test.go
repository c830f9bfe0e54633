package boltlog_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
)

// Reading from a position on comes there without reading what lies in front: here all
// blocks in front of it are damaged.
func TestReadSkipsWhatLiesInFront(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	fillPacked(t, log, 500, 10)
	log.Close()
	for _, from := range []eventstore.Position{11, 101, 255, 491, 500} {
		block := (from-1)/10*10 + 1
		spoilInFrontOf(t, dir, block)
		log := openWith(t, dir, boltlog.Options{ReadOnly: true})
		next := from
		for r, err := range log.Read(t.Context(), from) {
			if err != nil || r.Position != next {
				t.Errorf("Read(%d) gives %d, %v, want %d", from, r.Position, err, next)
				break
			}
			next++
		}
		if next != 501 {
			t.Errorf("Read(%d) ends in front of %d, want 501", from, next)
		}
		var first error
		for _, first = range log.Read(t.Context(), block-1) {
			break
		}
		if damage := (*eventstore.DamageError)(nil); !errors.As(first, &damage) {
			t.Errorf("Read(%d) begins with %v, want damage", block-1, first)
		}
		log.Close()
	}
}

// spoilInFrontOf damages every block in front of one.
func spoilInFrontOf(t *testing.T, dir string, block eventstore.Position) {
	t.Helper()
	change(t, dir, func(tx *bbolt.Tx) error {
		blocks := tx.Bucket([]byte("blocks"))
		for first := eventstore.Position(1); first < block; first += 10 {
			if err := blocks.Put(binary.BigEndian.AppendUint64(nil, uint64(first)), []byte("spoiled")); err != nil {
				return err
			}
		}
		return nil
	})
}
