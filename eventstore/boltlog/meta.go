package boltlog

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/journal"
)

// format is the newest format that this version reads, and the one it writes.
const format = 1

var (
	bucketMeta   = []byte("meta")
	bucketBlocks = []byte("blocks")
	bucketSide   = []byte("side")

	keyFormat = []byte("format")
	keyID     = []byte("id")
	keyLast   = []byte("last")

	// keyJournal is there where the log has a journal.
	keyJournal = []byte("journal")
	// keyReached is there where it is known how far the journal went once.
	keyReached = []byte("reached")
)

// tail is where the log, or a part of it, ends.
type tail struct {
	last eventstore.Position
	at   time.Time // of the last record; the zero time where there is none
}

// behind gives the tail behind more records.
func (t tail) behind(records []eventstore.Record) tail {
	if len(records) == 0 {
		return t
	}
	r := records[len(records)-1]
	return tail{r.Position, r.Time}
}

// initialise makes the buckets of an empty log.
func initialise(tx *bbolt.Tx, id domain.LogID) error {
	for _, name := range [][]byte{bucketMeta, bucketBlocks, bucketChain, bucketSide} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	if err := putMeta(tx, keyFormat, binary.BigEndian.AppendUint32(nil, format)); err != nil {
		return err
	}
	if err := putMeta(tx, keyID, id[:]); err != nil {
		return err
	}
	return putTail(tx, tail{})
}

func putMeta(tx *bbolt.Tx, key, value []byte) error {
	return tx.Bucket(bucketMeta).Put(key, seal(key, bytes.Clone(value)))
}

func putTail(tx *bbolt.Tx, t tail) error {
	var ms int64
	if t.last != 0 {
		ms = t.at.UnixMilli()
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(t.last))
	return putMeta(tx, keyLast, binary.BigEndian.AppendUint64(b, uint64(ms)))
}

// putJournal says which journal goes on behind the database, and its last frame
// that lies here.
func putJournal(tx *bbolt.Tx, id journal.ID, frame uint64) error {
	return putMeta(tx, keyJournal, binary.BigEndian.AppendUint64(id[:len(id):len(id)], frame))
}

// putReached says that the journal has reached a frame, and with it a position: one that
// ends in front of it has lost its end.
func putReached(tx *bbolt.Tx, frame uint64, last eventstore.Position) error {
	b := binary.BigEndian.AppendUint64(nil, frame)
	return putMeta(tx, keyReached, binary.BigEndian.AppendUint64(b, uint64(last)))
}

// head is what a log says of itself.
type head struct {
	id         domain.LogID
	packed     tail
	hasJournal bool
	journal    journal.ID
	frame      uint64 // the journal's last that lies in the database
	reached    uint64 // a frame that the journal has had, and the position with it
	reachedTo  eventstore.Position
	sealed     eventstore.Boundary
	broken     bool // the chain's last link is damaged
}

// readHead reads the format, before it relies on anything else, then the rest.
func (l *Log) readHead(tx *bbolt.Tx) (h head, err error) {
	if tx.Bucket(bucketMeta) == nil {
		return h, l.damage(1, "it has no bucket meta; is it a log of rollcall?")
	}
	found, err := l.getMeta(tx, keyFormat, 4)
	if err != nil {
		return h, err
	}
	if n := binary.BigEndian.Uint32(found); n > format {
		return h, &eventstore.FormatError{Path: l.path, Found: n, Newest: format}
	}
	for _, name := range [][]byte{bucketBlocks, bucketSide} {
		if tx.Bucket(name) == nil {
			return h, l.damage(1, "it has no bucket "+string(name))
		}
	}
	id, err := l.getMeta(tx, keyID, len(h.id))
	if err != nil {
		return h, err
	}
	last, err := l.getMeta(tx, keyLast, 16)
	if err != nil {
		return h, err
	}
	copy(h.id[:], id)
	h.packed.last = eventstore.Position(binary.BigEndian.Uint64(last))
	if h.packed.last != 0 {
		h.packed.at = time.UnixMilli(int64(binary.BigEndian.Uint64(last[8:]))).UTC()
	}
	h.sealed, h.broken = lastLink(tx, h.packed.last)
	if h.hasJournal = tx.Bucket(bucketMeta).Get(keyJournal) != nil; !h.hasJournal {
		return h, nil
	}
	mark, err := l.getMeta(tx, keyJournal, len(h.journal)+8)
	if err != nil {
		return h, err
	}
	h.frame = binary.BigEndian.Uint64(mark[copy(h.journal[:], mark):])
	if tx.Bucket(bucketMeta).Get(keyReached) == nil {
		return h, nil // written by an earlier version
	}
	reached, err := l.getMeta(tx, keyReached, 16)
	if err != nil {
		return h, err
	}
	h.reached, h.reachedTo = binary.BigEndian.Uint64(reached), eventstore.Position(binary.BigEndian.Uint64(reached[8:]))
	return h, nil
}

func (l *Log) getMeta(tx *bbolt.Tx, key []byte, size int) ([]byte, error) {
	value, ok := unseal(key, tx.Bucket(bucketMeta).Get(key))
	if !ok || len(value) != size {
		return nil, l.damage(1, "the entry "+string(key)+" of the log's head is damaged")
	}
	return value, nil
}

func (l *Log) damage(from eventstore.Position, problem string) *eventstore.DamageError {
	return &eventstore.DamageError{Path: l.path, From: from, Problem: problem}
}
