package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"path/filepath"

	"go.etcd.io/bbolt"
	_ "modernc.org/sqlite"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/codec"
	"rollcall/eventstore/logtest"
)

// peer makes events durable. Events are numbered from 1; commit is called by one
// goroutine at a time unless the peer is direct.
type peer struct {
	name string
	// direct peers are called by every writer with one event each; the others
	// with what has gathered.
	direct bool
	commit func(first, n int) error
	close  func() error
	// settle brings the files into the form in which they rest; nil if that is how
	// they are.
	settle func() error
}

// maker opens a peer in an empty folder; nil where it is not installed.
type maker struct {
	name string
	open func(dir string) (*peer, error)
}

// makers are all the peers, in the order of the table. The first is the limit.
var makers = []maker{
	{"one file, one fdatasync for what has gathered", oneFile},
	{"one file, the same past the page cache", oneFileDirect},
	{"rollcall", rollcall},
	{"bbolt, Update for each event", boltUpdate},
	{"bbolt, Batch", boltBatch},
	{"bbolt, Update for what has gathered", boltGrouped},
	{"SQLite, WAL FULL, a transaction for what has gathered", sqlite},
	{"PostgreSQL, an INSERT for what has gathered", postgres},
	{"Redis, fsync always, XADD for each event", redisEach},
	{"Redis, fsync always, a pipeline for what has gathered", redisGrouped},
}

// encoded gives events as a log stores them.
func encoded(first, n int) ([]byte, error) {
	records := logtest.Records(domain.Position(first), n)
	return codec.AppendBlock(nil, domain.Position(first-1), records[0].Time, records)
}

func rollcall(dir string) (*peer, error) {
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		return nil, err
	}
	return &peer{close: log.Close, settle: log.Pack, commit: func(first, n int) error {
		_, err := log.Append(context.Background(), domain.Position(first-1), eventstore.Batch{Records: logtest.Records(domain.Position(first), n)})
		return err
	}}, nil
}

var bucket = []byte("events")

func bolt(dir string, direct bool, write func(*bbolt.DB) func(func(*bbolt.Tx) error) error) (*peer, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt.db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
	update := write(db)
	return &peer{direct: direct, close: db.Close, commit: func(first, n int) error {
		return update(func(tx *bbolt.Tx) error {
			events := tx.Bucket(bucket)
			events.FillPercent = 1
			for i := range n {
				value, err := encoded(first+i, 1)
				if err != nil {
					return err
				}
				if err := events.Put(binary.BigEndian.AppendUint64(nil, uint64(first+i)), value); err != nil {
					return err
				}
			}
			return nil
		})
	}}, err
}

func boltUpdate(dir string) (*peer, error) {
	return bolt(dir, true, func(db *bbolt.DB) func(func(*bbolt.Tx) error) error { return db.Update })
}

func boltBatch(dir string) (*peer, error) {
	return bolt(dir, true, func(db *bbolt.DB) func(func(*bbolt.Tx) error) error { return db.Batch })
}

func boltGrouped(dir string) (*peer, error) {
	return bolt(dir, false, func(db *bbolt.DB) func(func(*bbolt.Tx) error) error { return db.Update })
}

func sqlite(dir string) (*peer, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "events.sqlite")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE events (position INTEGER PRIMARY KEY, event BLOB NOT NULL)"); err != nil {
		return nil, err
	}
	insert, err := db.Prepare("INSERT INTO events VALUES (?, ?)")
	if err != nil {
		return nil, err
	}
	settle := func() error {
		_, err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	}
	return &peer{close: db.Close, settle: settle, commit: func(first, n int) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		bound := tx.Stmt(insert)
		for i := range n {
			b, err := encoded(first+i, 1)
			if err != nil {
				return errors.Join(err, tx.Rollback())
			}
			if _, err := bound.Exec(first+i, b); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		return tx.Commit()
	}}, nil
}
