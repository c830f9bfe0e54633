package boltlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"rollcall/eventstore"
)

// A chain of digests runs over the packed blocks: what tells one history from
// another without reading either. For each block the bucket chain has a link:
//
//	position, 8 bytes    of the block's last record
//	digest, 32 bytes     SHA-256 over the digest in front of it (zeros in front of
//	                     the first block) and the block as it is stored
//
// A link is written in the transaction that writes its block, and never again. A
// log of an earlier version has blocks without links: the packer adds them.

var bucketChain = []byte("chain")

// behind gives the boundary behind one more block.
func behind(b eventstore.Boundary, last eventstore.Position, block []byte) eventstore.Boundary {
	sum := sha256.New()
	sum.Write(b.Digest[:])
	sum.Write(block)
	next := eventstore.Boundary{Position: last}
	sum.Sum(next.Digest[:0])
	return next
}

func putLink(tx *bbolt.Tx, b eventstore.Boundary) error {
	chain, err := tx.CreateBucketIfNotExists(bucketChain)
	if err != nil {
		return err
	}
	chain.FillPercent = 1 // keys only ever rise
	key := blockKey(b.Position)
	return chain.Put(key, seal(key, bytes.Clone(b.Digest[:])))
}

// openLink reads a link; false where it is damaged.
func openLink(key, sealed []byte) (b eventstore.Boundary, ok bool) {
	digest, ok := unseal(key, sealed)
	if !ok || len(key) != 8 || len(digest) != len(b.Digest) {
		return eventstore.Boundary{}, false
	}
	b.Position = eventstore.Position(binary.BigEndian.Uint64(key))
	copy(b.Digest[:], digest)
	return b, true
}

// lastLink gives the last link there is; broken where it is damaged, or tells of
// blocks that are not there.
func lastLink(tx *bbolt.Tx, packed eventstore.Position) (b eventstore.Boundary, broken bool) {
	chain := tx.Bucket(bucketChain)
	if chain == nil {
		return eventstore.Boundary{}, false
	}
	key, sealed := chain.Cursor().Last()
	if key == nil {
		return eventstore.Boundary{}, false
	}
	b, ok := openLink(key, sealed)
	if !ok || b.Position > packed {
		return eventstore.Boundary{}, true
	}
	return b, false
}

// Sealed gives the last boundary up to which the chain reaches; false where
// nothing is packed, or the chain is damaged.
func (l *Log) Sealed() (eventstore.Boundary, bool) {
	b := l.state.Load().sealed
	return b, b.Position > 0
}

// BoundaryUpTo gives the last boundary at a position or in front of it: the
// beginning of the log where there is none. Damaged links are passed over.
func (l *Log) BoundaryUpTo(ctx context.Context, at eventstore.Position) (b eventstore.Boundary, err error) {
	if err := l.readable(ctx); err != nil {
		return eventstore.Boundary{}, err
	}
	s := l.state.Load()
	if s.sealed.Position <= at && !l.chainBroken {
		return s.sealed, nil
	}
	err = l.view(1, func(tx *bbolt.Tx) error {
		b = linkUpTo(tx, min(at, s.packed.last))
		return nil
	})
	return b, err
}

func linkUpTo(tx *bbolt.Tx, at eventstore.Position) eventstore.Boundary {
	chain := tx.Bucket(bucketChain)
	if chain == nil {
		return eventstore.Boundary{}
	}
	links := chain.Cursor()
	step := links.Prev
	if behind, _ := links.Seek(blockKey(at + 1)); behind == nil {
		step = links.Last
	}
	for key, sealed := step(); key != nil; key, sealed = links.Prev() {
		if b, ok := openLink(key, sealed); ok {
			return b
		}
	}
	return eventstore.Boundary{}
}

// BoundaryAt gives the boundary at a position; false where none is known there. A
// damaged link is an *[eventstore.ChainError].
func (l *Log) BoundaryAt(ctx context.Context, at eventstore.Position) (b eventstore.Boundary, ok bool, err error) {
	if err := l.readable(ctx); err != nil {
		return eventstore.Boundary{}, false, err
	}
	err = l.view(1, func(tx *bbolt.Tx) error {
		chain := tx.Bucket(bucketChain)
		if chain == nil {
			return nil
		}
		key := blockKey(at)
		sealed := chain.Get(key)
		if sealed == nil {
			return nil
		}
		if b, ok = openLink(key, sealed); !ok {
			return l.badLink(at, at)
		}
		return nil
	})
	return b, ok, err
}

// badLink tells that the link behind a block is not right. The records are not
// concerned.
func (l *Log) badLink(from, to eventstore.Position) error {
	return &eventstore.ChainError{Path: l.path, From: from, To: to}
}

// catchUp adds the links that an earlier version has left out. What stops it leaves
// the chain where it is, and is told by whoever reads or appends.
func (l *Log) catchUp() {
	for more := true; more; {
		more = l.catchUpSome()
	}
}

// catchUpSome adds some links in one transaction, and tells whether there may be
// more.
func (l *Log) catchUpSome() bool {
	l.packing.Lock()
	defer l.packing.Unlock()
	s := l.state.Load()
	if _, err := l.watch(); err != nil || l.failure() != nil || !l.canLink(s.sealed, s.sealed.Position+1) {
		return false
	}
	links := l.lackingLinks(s)
	if len(links) == 0 {
		return false
	}
	err := guard(l.path, 1, func() error {
		return l.db.Update(func(tx *bbolt.Tx) error {
			for _, b := range links {
				if err := putLink(tx, b); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		if err = packError(err); !errors.Is(err, eventstore.ErrFull) {
			l.fail(fmt.Errorf("write the chain of digests: %w", err))
		}
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	next := *l.state.Load()
	next.sealed = links[len(links)-1]
	l.state.Store(&next)
	return true
}

// lackingLinks gives the next links that the packed blocks lack, for as many
// blocks as are packed at a time; packing is held.
func (l *Log) lackingLinks(s *state) (links []eventstore.Boundary) {
	at, size := s.sealed, 0
	for b, err := range l.blocks(context.Background(), at.Position+1, s.packed.last) {
		if err != nil || !l.canLink(at, b.first) {
			return links // whoever reads the block is told
		}
		at = behind(at, b.last, b.value)
		links = append(links, at)
		if size += len(b.value); size > packBytes {
			break
		}
	}
	return links
}

// canLink tells whether the link of a block that begins at first goes behind b.
func (l *Log) canLink(b eventstore.Boundary, first eventstore.Position) bool {
	return !l.chainBroken && b.Position+1 == first
}

// CheckChain computes the chain again. It gives an *[eventstore.ChainError] for
// each link that is damaged, wrong or missing, and any other error once, at the
// end; one that a block cannot be read is left to whoever reads the block.
func (l *Log) CheckChain(ctx context.Context) iter.Seq[error] {
	return func(yield func(error) bool) {
		s := l.state.Load()
		end := s.sealed.Position
		if l.chainBroken {
			end = s.packed.last
		}
		var at eventstore.Boundary
		for b, err := range l.blocks(ctx, 1, end) {
			if err == nil {
				at = behind(at, b.last, b.value)
				err = l.checkLink(ctx, b.first, at)
			}
			if damage := (*eventstore.DamageError)(nil); errors.As(err, &damage) {
				return
			}
			if err != nil && !yield(err) {
				return
			}
		}
	}
}

func (l *Log) checkLink(ctx context.Context, first eventstore.Position, want eventstore.Boundary) error {
	got, _, err := l.BoundaryAt(ctx, want.Position)
	if bad := (*eventstore.ChainError)(nil); err != nil && !errors.As(err, &bad) {
		return err
	}
	if got != want {
		return l.badLink(first, want.Position)
	}
	return nil
}
