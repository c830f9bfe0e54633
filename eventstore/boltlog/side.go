package boltlog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
)

func sideKey(k eventstore.SideKey) []byte {
	return appendSideKey(nil, k)
}

func compareKeys(a, b eventstore.SideKey) int {
	return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Kind, b.Kind))
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
	if p, ok := l.noted(k); ok {
		return bytes.Clone(p.value), p.value != nil, nil
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
		for p, err := range l.sidePages(ctx) {
			if err != nil {
				yield(eventstore.Side{}, err)
				return
			}
			for _, s := range p {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// keysAtOnce is how many side records are looked up in one transaction.
const keysAtOnce = 1024

// SidesOf gives those of some side records that there are, in the order of the
// keys. It is much faster than asking for each, and than [Log.Sides] where these are
// few of many.
func (l *Log) SidesOf(ctx context.Context, keys []eventstore.SideKey) iter.Seq2[eventstore.Side, error] {
	return func(yield func(eventstore.Side, error) bool) {
		for some := range slices.Chunk(keys, keysAtOnce) {
			found, err := l.someSides(ctx, some)
			for _, s := range found {
				if !yield(s, nil) {
					return
				}
			}
			if err != nil {
				yield(eventstore.Side{}, err)
				return
			}
		}
	}
}

// someSides looks some side records up. As in sidePage, what the journal says is
// asked for first. With an error come those in front of it.
func (l *Log) someSides(ctx context.Context, keys []eventstore.SideKey) (found []eventstore.Side, err error) {
	if err := l.readable(ctx); err != nil {
		return nil, err
	}
	noted := l.notedOf(keys)
	err = l.view(1, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketSide).Cursor()
		var want, key, sealed []byte
		for _, k := range keys {
			if p, ok := noted[k]; ok {
				if p.value != nil {
					found = append(found, eventstore.Side{SideKey: k, Value: bytes.Clone(p.value)})
				}
				continue
			}
			want = appendSideKey(want[:0], k)
			if key, sealed = seekSide(c, key, sealed, want); !bytes.Equal(key, want) {
				continue
			}
			s, err := l.openSide(key, sealed)
			if err != nil {
				return err
			}
			found = append(found, s)
		}
		return nil
	})
	return found, err
}

// seekSide goes to the first key that is not in front of want. The cursor stands at
// key, nil at first. What belongs together stands close together: some steps are
// tried before the way from the root.
func seekSide(c *bbolt.Cursor, key, sealed, want []byte) ([]byte, []byte) {
	for range 4 {
		if key == nil {
			break
		}
		if bytes.Compare(key, want) >= 0 {
			return key, sealed
		}
		key, sealed = c.Next()
	}
	return c.Seek(want)
}

// sidePages gives the side records in pages, wherever they lie.
func (l *Log) sidePages(ctx context.Context) iter.Seq2[[]eventstore.Side, error] {
	return func(yield func([]eventstore.Side, error) bool) {
		var after []byte
		for {
			page, upTo, err := l.sidePage(ctx, after)
			if len(page) > 0 && !yield(page, nil) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if upTo == nil {
				return
			}
			after = upTo
		}
	}
}

// sidePage gives side records behind the key after, and up to which key; nil at
// the end. What the journal says is asked for first: what is packed after
// that is then found in the database as well.
func (l *Log) sidePage(ctx context.Context, after []byte) (page []eventstore.Side, upTo []byte, err error) {
	if err := l.readable(ctx); err != nil {
		return nil, nil, err
	}
	keys, found := l.notedBehind(after)
	packed, upTo, err := l.packedSides(after)
	if err != nil && upTo == nil {
		return nil, nil, err
	}
	for _, s := range packed {
		if _, noted := found[string(sideKey(s.SideKey))]; !noted {
			page = append(page, s)
		}
	}
	for _, key := range keys {
		p := found[string(key)]
		if p.value == nil || upTo != nil && bytes.Compare(key, upTo) > 0 {
			continue
		}
		page = append(page, eventstore.Side{SideKey: parseKey(key), Value: bytes.Clone(p.value)})
	}
	slices.SortFunc(page, func(a, b eventstore.Side) int { return compareKeys(a.SideKey, b.SideKey) })
	return page, upTo, err
}

// packedSides gives side records of the database behind the key after, and the
// last key if there may be more. With an error come those in front of it.
func (l *Log) packedSides(after []byte) (page []eventstore.Side, upTo []byte, err error) {
	err = l.view(1, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketSide).Cursor()
		key, sealed := c.Seek(after)
		if after != nil && bytes.Equal(key, after) {
			key, sealed = c.Next()
		}
		for size := 0; key != nil; key, sealed = c.Next() {
			if size > pageBytes {
				return nil
			}
			s, err := l.openSide(key, sealed)
			if err != nil {
				return err
			}
			page = append(page, s)
			upTo = bytes.Clone(key)
			size += len(key) + len(sealed)
		}
		upTo = nil
		return nil
	})
	return page, upTo, err
}

func parseKey(key []byte) eventstore.SideKey {
	return eventstore.SideKey{Position: keyPosition(key), Kind: domain.SideKind(key[8])}
}

func (l *Log) readable(ctx context.Context) error {
	if _, err := l.watch(); err != nil {
		return err
	}
	return ctx.Err()
}

// openSide checks and copies a side record.
func (l *Log) openSide(key, sealed []byte) (eventstore.Side, error) {
	if len(key) != keySize {
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
