package inbox

import (
	"encoding/binary"
	"fmt"

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
	return i.checkBuckets(tx)
}

// checkBuckets looks whether there is just what this version writes. Every page is
// read in that: those of the rows are left to [Inbox.checkRows].
func (i *Inbox) checkBuckets(tx *bbolt.Tx) error {
	rows := false
	err := tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		switch string(name) {
		case string(bucketMeta):
			return b.ForEach(func(k, v []byte) error {
				if _, ok := unseal(k, v); !ok {
					return i.damage(fmt.Sprintf("the entry %q of its head is damaged", k))
				}
				return nil
			})
		case string(bucketRows):
			rows = true
			return nil
		}
		return i.damage(fmt.Sprintf("there is an unknown bucket %q", name))
	})
	if err == nil && !rows {
		err = i.damage("the bucket rows is missing")
	}
	return err
}

func (i *Inbox) damage(problem string) error {
	return &DamageError{Path: i.path, Problem: problem}
}
