package projections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"time"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// mark tells the records up to a cursor from those of any other history of the same
// log. Position and time of the last one do not: a log that is restored from a backup
// goes on with the same positions, and perhaps in the same millisecond.
type mark struct {
	// Boundary is up to where a digest of the log covers the records, and Chain
	// that digest.
	Boundary domain.Position `json:"boundary"`
	Chain    []byte          `json:"chain,omitempty"`
	// Tail is a SHA-256 over the records behind it, each with its length in
	// front, as the log stores them; the first as if the one in front of it were
	// of 1970.
	Tail []byte `json:"tail"`
}

// chainedLog is a log over which a chain of digests runs, so that little has to be
// read to tell its history.
type chainedLog interface {
	BoundaryAt(ctx context.Context, at domain.Position) (b eventstore.Boundary, ok bool, err error)
	BoundaryUpTo(ctx context.Context, at domain.Position) (eventstore.Boundary, error)
}

// marker makes marks. It keeps what it has read, so that ever later cursors cost what
// lies between them.
type marker struct {
	log  Log
	base eventstore.Boundary
	sum  hash.Hash // over the records behind base, up to at
	at   domain.Position
	time time.Time // of the record at at
	buf  []byte
}

func newMarker(log Log) *marker {
	return &marker{log: log, sum: sha256.New(), time: time.UnixMilli(0)}
}

// begin forgets what was read, and goes on behind a boundary.
func (m *marker) begin(base eventstore.Boundary) {
	m.sum.Reset()
	m.base, m.at, m.time = base, base.Position, time.UnixMilli(0)
}

// to gives the mark of a cursor.
func (m *marker) to(ctx context.Context, cursor domain.Position) (mark, error) {
	var base eventstore.Boundary
	if chained, ok := m.log.(chainedLog); ok {
		var err error
		if base, err = chained.BoundaryUpTo(ctx, cursor); err != nil {
			return mark{}, err
		}
	}
	if base.Position > m.base.Position || cursor < m.at {
		m.begin(base)
	}
	err := m.read(ctx, cursor)
	return m.mark(), err
}

// fits tells whether a mark is that of the log's own records up to a cursor.
func (m *marker) fits(ctx context.Context, want mark, cursor domain.Position) (bool, error) {
	base, known, err := m.boundary(ctx, want.Boundary)
	if err != nil || !known || want.Boundary > cursor {
		return false, err
	}
	if base != m.base || cursor < m.at {
		m.begin(base)
	}
	if err := m.read(ctx, cursor); err != nil {
		return false, err
	}
	got := m.mark()
	return bytes.Equal(got.Chain, want.Chain) && bytes.Equal(got.Tail, want.Tail), nil
}

func (m *marker) boundary(ctx context.Context, at domain.Position) (b eventstore.Boundary, known bool, err error) {
	if at == 0 {
		return eventstore.Boundary{}, true, nil
	}
	if chained, ok := m.log.(chainedLog); ok {
		return chained.BoundaryAt(ctx, at)
	}
	return eventstore.Boundary{}, false, nil
}

func (m *marker) mark() mark {
	made := mark{Boundary: m.base.Position, Tail: m.sum.Sum(nil)}
	if m.base.Position > 0 {
		made.Chain = bytes.Clone(m.base.Digest[:])
	}
	return made
}

// read takes up what the log has up to a cursor.
func (m *marker) read(ctx context.Context, cursor domain.Position) error {
	if m.at >= cursor {
		return nil
	}
	for some, err := range records(ctx, m.log, m.at+1) {
		if err != nil {
			return err
		}
		if err := m.add(upTo(some, cursor)); err != nil || m.at >= cursor {
			return err
		}
	}
	return nil
}

// see takes up records that are at hand, if they are those that come next.
func (m *marker) see(records []domain.Record) error {
	if len(records) == 0 || m.at == 0 || records[0].Position != m.at+1 {
		return nil
	}
	return m.add(records)
}

// add takes up the next records, of which one that the log cannot decode stands alone.
func (m *marker) add(records []domain.Record) error {
	if len(records) == 0 {
		return nil
	}
	if e, ok := records[0].Event.(newer); ok {
		m.write(e.raw)
		m.took(records[0])
		return nil
	}
	for some := range slices.Chunk(records, markPiece) {
		if err := m.encode(some); err != nil {
			return err
		}
		m.took(some[len(some)-1])
	}
	return nil
}

// markPiece is how many records are encoded at a time: a block takes only so many bytes.
const markPiece = 128

func (m *marker) took(last domain.Record) { m.at, m.time = last.Position, last.Time }

func (m *marker) encode(records []domain.Record) (err error) {
	if m.buf, err = codec.AppendBlock(m.buf[:0], m.at, m.time, records); err != nil {
		return err
	}
	block, err := codec.OpenBlock(m.buf)
	if err != nil {
		return err
	}
	for raw, err := range block.Raw() {
		if err != nil {
			return err
		}
		m.write(raw)
	}
	return nil
}

func (m *marker) write(raw []byte) {
	var size [binary.MaxVarintLen64]byte
	m.sum.Write(binary.AppendUvarint(size[:0], uint64(len(raw))))
	m.sum.Write(raw)
}

// upTo gives those of some records, which have no gaps, that stand up to a position.
func upTo(records []domain.Record, position domain.Position) []domain.Record {
	n := len(records)
	if n == 0 || records[n-1].Position <= position {
		return records
	}
	over := records[n-1].Position - position
	return records[:n-min(n, int(over))]
}
