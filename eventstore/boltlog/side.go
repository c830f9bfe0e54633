package boltlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
)

func sideKey(k eventstore.SideKey) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(k.Position)), byte(k.Kind))
}

func putSides(tx *bbolt.Tx, batch eventstore.Batch) error {
	sides := tx.Bucket(bucketSide)
	for _, s := range batch.Sides {
		key := sideKey(s.SideKey)
		if err := sides.Put(key, seal(key, bytes.Clone(s.Value))); err != nil {
			return err
		}
	}
	for _, k := range batch.Forget {
		if err := sides.Delete(sideKey(k)); err != nil {
			return err
		}
	}
	return nil
}

// Side implements [eventstore.SideReader].
func (l *Log) Side(ctx context.Context, k eventstore.SideKey) (value []byte, ok bool, err error) {
	if err := l.readable(ctx); err != nil {
		return nil, false, err
	}
	err = l.view(k.Position, func(tx *bbolt.Tx) error {
		key := sideKey(k)
		sealed := tx.Bucket(bucketSide).Get(key)
		if sealed == nil {
			return nil
		}
		side, err := l.openSide(key, sealed)
		value, ok = side.Value, err == nil
		return err
	})
	return value, ok, err
}

// Sides implements [eventstore.SideReader].
func (l *Log) Sides(ctx context.Context) iter.Seq2[eventstore.Side, error] {
	return func(yield func(eventstore.Side, error) bool) {
		var after []byte
		for {
			page, err := l.sidePage(ctx, after)
			for _, s := range page {
				if !yield(s, nil) {
					return
				}
				after = sideKey(s.SideKey)
			}
			if err != nil {
				yield(eventstore.Side{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
		}
	}
}

// sidePage gives some of the side records behind the key after; none at the end.
func (l *Log) sidePage(ctx context.Context, after []byte) (page []eventstore.Side, err error) {
	if err := l.readable(ctx); err != nil {
		return nil, err
	}
	err = l.view(1, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketSide).Cursor()
		key, sealed := c.Seek(after)
		if after != nil && bytes.Equal(key, after) {
			key, sealed = c.Next()
		}
		for size := 0; key != nil && size < pageBytes; key, sealed = c.Next() {
			s, err := l.openSide(key, sealed)
			if err != nil {
				return err
			}
			page = append(page, s)
			size += len(key) + len(sealed)
		}
		return nil
	})
	return page, err
}

func (l *Log) readable(ctx context.Context) error {
	if _, err := l.watch(); err != nil {
		return err
	}
	return ctx.Err()
}

// openSide checks and copies a side record.
func (l *Log) openSide(key, sealed []byte) (eventstore.Side, error) {
	if len(key) != 9 {
		return eventstore.Side{}, l.damage(1, fmt.Sprintf("there is a side record with the key %x", key))
	}
	at := eventstore.Position(binary.BigEndian.Uint64(key))
	value, ok := unseal(key, sealed)
	if !ok {
		return eventstore.Side{}, &eventstore.DamageError{Path: l.path, From: at, To: at, Problem: "the checksum of a side record is wrong"}
	}
	return eventstore.Side{
		SideKey: eventstore.SideKey{Position: at, Kind: domain.SideKind(key[8])},
		Value:   bytes.Clone(value),
	}, nil
}
