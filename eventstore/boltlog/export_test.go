package boltlog

import (
	"context"

	"rollcall/eventstore"
)

// HoldPacking keeps the packer still until release is called.
func (l *Log) HoldPacking() (release func()) {
	l.packing.Lock()
	return l.packing.Unlock
}

// Decompress does what Blocks does with what is packed, but for decoding the
// records.
func (l *Log) Decompress() (last eventstore.Position, err error) {
	var p page
	var buf []byte
	for end := l.state.Load().packed.last; last < end; {
		if err := l.read(context.Background(), &p, last+1, end, bulkPageBytes); err != nil {
			return 0, err
		}
		for _, b := range p.blocks {
			if _, err := b.message(&buf); err != nil {
				return 0, err
			}
			last = b.last
		}
	}
	return last, nil
}

// CompactWith is Compact of a log that is opened with options.
func CompactWith(ctx context.Context, dir string, options Options) error {
	_, err := compact(ctx, dir, options)
	return err
}

// Path gives where the database lies.
func (l *Log) Path() string { return l.path }

// DoNotReadAhead keeps the file from being read ahead until undo is called.
func DoNotReadAhead() (undo func()) {
	readAheadFrom = func(*Log, eventstore.Position) {}
	return func() { readAheadFrom = (*Log).readAhead }
}
