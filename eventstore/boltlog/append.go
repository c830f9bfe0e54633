package boltlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/journal"
	"rollcall/eventstore/codec"
)

// Append implements [eventstore.Appender]. Side records of the batch are stored
// before those to forget are deleted.
//
// An [eventstore.ErrFull] tells that there was no room and nothing was written.
func (l *Log) Append(ctx context.Context, after eventstore.Position, batch eventstore.Batch) (eventstore.Position, error) {
	return l.append(ctx, after, batch, false)
}

// AppendReserved is Append that may take room which is kept for it: with the disk
// full there is still some, for what cannot be put off. It is a few megabytes,
// thousands of small batches.
func (l *Log) AppendReserved(ctx context.Context, after eventstore.Position, batch eventstore.Batch) (eventstore.Position, error) {
	return l.append(ctx, after, batch, true)
}

// MakeRoom tries to have room for Append again where there was none, which it
// tells as an [eventstore.ErrFull].
func (l *Log) MakeRoom(ctx context.Context) error {
	if err := l.writable(ctx); err != nil {
		return err
	}
	if err := l.packWaiting(); err != nil {
		return err
	}
	l.packing.Lock() // Close waits
	defer l.packing.Unlock()
	if _, err := l.watch(); err != nil {
		return err
	}
	err := l.journal.MakeRoom()
	if err != nil && !errors.Is(err, eventstore.ErrFull) {
		l.fail(err)
		return l.failure()
	}
	return err
}

func (l *Log) append(ctx context.Context, after eventstore.Position, batch eventstore.Batch, reserved bool) (eventstore.Position, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.writable(ctx); err != nil {
		return 0, err
	}
	s := l.state.Load()
	if after != s.end.last {
		return 0, &eventstore.ConflictError{Expected: after, Actual: s.end.last}
	}
	block, err := codec.AppendBatch(l.block[:0], s.end.last, s.end.at, batch)
	if err != nil {
		return 0, err
	}
	l.block = block
	if len(batch.Records)+len(batch.Sides)+len(batch.Forget) == 0 {
		return s.end.last, nil
	}
	if !reserved {
		if err := l.packWaiting(); err != nil {
			return 0, err
		}
	}
	f, err := l.commit(s, batch, reserved)
	if err != nil {
		return 0, err
	}
	l.publish(f)
	return f.end.last, nil
}

// packWaiting packs where so much waits for it that appends have to wait, too.
func (l *Log) packWaiting() error {
	waiting := l.journal.Waiting()
	if waiting <= mostWaiting || waiting <= mostCopying && l.copying.Load() {
		return nil
	}
	return l.pack(false)
}

func (l *Log) writable(ctx context.Context) error {
	if _, err := l.watch(); err != nil {
		return err
	}
	if l.readOnly {
		return eventstore.ErrReadOnly
	}
	if err := l.failure(); err != nil {
		return err
	}
	return ctx.Err()
}

var errBatchSize = &eventstore.BatchError{Problem: fmt.Sprintf("it takes more than %d bytes; write it in parts", journal.MaxContent)}

// commit writes the batch, whose block is in l.block, to the journal.
func (l *Log) commit(s *state, batch eventstore.Batch, reserved bool) (frame, error) {
	l.content = appendContent(l.content[:0], l.block, batch)
	if len(l.content) > journal.MaxContent {
		return frame{}, errBatchSize
	}
	f := frame{end: s.end.behind(batch.Records), records: len(batch.Records)}
	var err error
	f.number, err = l.journal.Append(s.end.last, f.end.last, l.content, reserved)
	if errors.Is(err, eventstore.ErrFull) {
		return frame{}, fmt.Errorf("append at position %d: %w", s.end.last+1, err)
	}
	if err != nil {
		l.fail(fmt.Errorf("append at position %d: %w", s.end.last+1, err))
		return frame{}, l.failure()
	}
	content := append(make([]byte, 0, len(l.content)), l.content...)
	f.block, f.sides, f.forget, err = parseContent(content)
	return f, err
}

func putBlock(tx *bbolt.Tx, first eventstore.Position, value []byte) error {
	blocks := tx.Bucket(bucketBlocks)
	blocks.FillPercent = 1 // keys only ever rise: a page that is full stays full
	key := blockKey(first)
	return blocks.Put(key, seal(key, value))
}

func blockKey(first eventstore.Position) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(first))
}

func keyPosition(key []byte) eventstore.Position {
	return eventstore.Position(binary.BigEndian.Uint64(key))
}
