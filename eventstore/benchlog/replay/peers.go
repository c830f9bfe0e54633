package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/codec"
	"rollcall/eventstore/logtest"
	"rollcall/projections"
	"rollcall/projections/sessions"
)

// peer reads the events back. What it gives without folding is the number of events
// alone.
type peer struct {
	name   string
	part   bool // one of the parts, which are not compared
	replay func() (result, error)
	close  func() error
	file   string // for its size; empty where there is none
}

func noClose() error { return nil }

// history makes up the events and gives them block by block.
func history(events int, take func([]eventstore.Record) error) error {
	town := logtest.NewTown(20_000)
	for n := 0; n < events; {
		records := town.Records(8192)
		if err := take(records); err != nil {
			return err
		}
		n += len(records)
	}
	return nil
}

const flatSize = 24

func flatFile(dir string, events int) ([]*peer, error) {
	path := filepath.Join(dir, "flat")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	err = history(events, func(records []eventstore.Record) error {
		var b []byte
		for i := range records {
			session, kind := reduced(&records[i])
			b = binary.LittleEndian.AppendUint64(b, uint64(records[i].Time.UnixMilli()))
			b = binary.LittleEndian.AppendUint64(b, uint64(session))
			b = binary.LittleEndian.AppendUint64(b, uint64(kind))
		}
		_, err := f.Write(b)
		return err
	})
	return []*peer{{name: "flat file", replay: func() (result, error) { return readFlat(path) }, close: noClose, file: path}}, errors.Join(err, f.Close())
}

func readFlat(path string) (result, error) {
	f, err := os.Open(path)
	if err != nil {
		return result{}, err
	}
	defer f.Close()
	c := newCounts()
	buf := make([]byte, 8192*flatSize)
	for {
		n, err := f.Read(buf)
		if n == 0 {
			return c.result(), ignoreEnd(err)
		}
		for b := buf[:n]; len(b) >= flatSize; b = b[flatSize:] {
			e := event{
				time:    int64(binary.LittleEndian.Uint64(b)),
				session: domain.SessionID(binary.LittleEndian.Uint64(b[8:])),
				kind:    kind(b[16]),
			}
			c.fold(e.session, e.kind)
		}
	}
}

func sqlite(dir string, events int) ([]*peer, error) {
	path := filepath.Join(dir, "events.sqlite")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE events (position INTEGER PRIMARY KEY, time INTEGER NOT NULL, session INTEGER NOT NULL, kind INTEGER NOT NULL)")
	if err == nil {
		err = history(events, func(records []eventstore.Record) error { return insert(db, records) })
	}
	if err == nil {
		_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return []*peer{{name: "SQLite", replay: func() (result, error) { return readSQLite(db) }, close: db.Close, file: path}}, err
}

func insert(db *sql.DB, records []eventstore.Record) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	add, err := tx.Prepare("INSERT INTO events VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for i := range records {
		session, kind := reduced(&records[i])
		if _, err := add.Exec(int64(records[i].Position), records[i].Time.UnixMilli(), int64(session), int64(kind)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func readSQLite(db *sql.DB) (result, error) {
	rows, err := db.Query("SELECT time, session, kind FROM events ORDER BY position")
	if err != nil {
		return result{}, err
	}
	defer rows.Close()
	c := newCounts()
	var e event
	for rows.Next() {
		if err := rows.Scan(&e.time, &e.session, &e.kind); err != nil {
			return result{}, err
		}
		c.fold(e.session, e.kind)
	}
	return c.result(), rows.Err()
}

func rollcall(dir string, events int) ([]*peer, error) {
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		return nil, err
	}
	err = history(events, func(records []eventstore.Record) error {
		_, err := log.Append(context.Background(), log.Last(), eventstore.Batch{Records: records})
		return err
	})
	if err == nil {
		err = log.Pack()
	}
	return []*peer{
		{name: "rollcall into the view `sessions`, on disk", replay: func() (result, error) { return rebuildSessions(dir, log) }, close: noClose},
		{name: "rollcall", replay: func() (result, error) { return readLog(log) }, close: log.Close, file: filepath.Join(dir, "log.db")},
		{name: "rollcall's blocks, not folded", part: true, replay: func() (result, error) { return countLog(log) }, close: noClose},
	}, err
}

func readLog(log *boltlog.Log) (result, error) {
	c := newCounts()
	for records, err := range log.Blocks(context.Background(), 1) {
		if err != nil {
			return result{}, err
		}
		for i := range records {
			c.fold(reduced(&records[i]))
		}
	}
	return c.result(), nil
}

// rebuildSessions makes the view of the sessions anew, in a file of its own, by the
// projection that the appliance has, and asks it.
func rebuildSessions(dir string, log *boltlog.Log) (r result, err error) {
	path := filepath.Join(dir, "views.db")
	defer os.Remove(path)
	views, err := projections.Open(path, log, slog.New(slog.DiscardHandler), sessions.Projection())
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, views.Close()) }()
	if err := views.CatchUp(context.Background()); err != nil {
		return r, err
	}
	services, at, err := sessions.In(views).Counts()
	for _, c := range services {
		r.live += c.Covered + c.OutOfCoverage
		r.inReach += c.Covered
	}
	r.events = int(at)
	return r, err
}

func countLog(log *boltlog.Log) (r result, err error) {
	for records, err := range log.Blocks(context.Background(), 1) {
		if err != nil {
			return r, err
		}
		r.events += len(records)
	}
	return r, nil
}

// parts are those that need no file.
func parts(_ string, events int) ([]*peer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	var memory []event
	var blocks [][]byte
	err = history(events, func(records []eventstore.Record) error {
		for i := range records {
			session, kind := reduced(&records[i])
			memory = append(memory, event{records[i].Time.UnixMilli(), session, kind})
		}
		block, err := codec.AppendBlock(nil, records[0].Position-1, records[0].Time, records)
		blocks = append(blocks, enc.EncodeAll(block, nil))
		return err
	})
	var buf []byte
	decompress := func() (result, error) {
		for _, b := range blocks {
			if buf, err = dec.DecodeAll(b, buf[:0]); err != nil {
				return result{}, err
			}
		}
		return result{events: len(memory)}, nil
	}
	fold := func() (result, error) {
		c := newCounts()
		for i := range memory {
			c.fold(memory[i].session, memory[i].kind)
		}
		return c.result(), nil
	}
	return []*peer{
		{name: "folding alone", part: true, replay: fold, close: noClose},
		{name: "decompressing alone", part: true, replay: decompress, close: noClose},
	}, err
}

// size gives the bytes that a peer's file takes.
func (p *peer) size() (int64, error) {
	if p.file == "" {
		return 0, nil
	}
	info, err := os.Stat(p.file)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p.name, err)
	}
	return info.Size(), nil
}
