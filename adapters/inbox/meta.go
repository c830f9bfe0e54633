package inbox

import (
	"encoding/binary"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// newestFormat is the format that this version writes.
const newestFormat = 1

var (
	bucketMeta = []byte("meta")
	bucketRows = []byte("rows")

	keyFormat = []byte("format")
	keyLog    = []byte("log")
)

func initialise(tx *bbolt.Tx, log domain.LogID) error {
	meta, err := tx.CreateBucket(bucketMeta)
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucket(bucketRows); err != nil {
		return err
	}
	format := binary.BigEndian.AppendUint32(nil, newestFormat)
	if err := meta.Put(keyFormat, seal(keyFormat, format)); err != nil {
		return err
	}
	return meta.Put(keyLog, seal(keyLog, log[:]))
}

// checkMeta looks whether the inbox is one that this version reads, and this log's.
func (i *Inbox) checkMeta(tx *bbolt.Tx, log domain.LogID) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return i.damage("it is a database of something else: it has no bucket meta")
	}
	format, ok := unseal(keyFormat, meta.Get(keyFormat))
	if !ok || len(format) != 4 {
		return i.damage("the entry format of its head is damaged")
	}
	if found := binary.BigEndian.Uint32(format); found > newestFormat {
		return &FormatError{Path: i.path, Found: found, Newest: newestFormat}
	}
	id, ok := unseal(keyLog, meta.Get(keyLog))
	if !ok || len(id) != len(log) {
		return i.damage("the entry log of its head is damaged")
	}
	if found := domain.LogID(id); found != log {
		return &OtherLogError{Path: i.path, Found: found, Wanted: log}
	}
	if tx.Bucket(bucketRows) == nil {
		return i.damage("the bucket rows is missing")
	}
	return nil
}

func (i *Inbox) damage(problem string) error {
	return &DamageError{Path: i.path, Problem: problem}
}
