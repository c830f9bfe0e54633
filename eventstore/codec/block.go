package codec

import (
	"iter"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// The fields of the message Block.
const (
	fieldFirst    = 1
	fieldBeforeMS = 2
	fieldRecord   = 3
)

// lastPosition is far beyond any log, and far from where positions overflow.
const lastPosition = 1 << 62

// AppendBlock appends a block with the records to dst. They must follow the
// record at after, whose time is before; before is of no account where after is
// 0. Records that do not follow, or cannot be stored exactly, are refused with a
// *[eventstore.BatchError], and so is a block of more than [MaxBlock] bytes.
func AppendBlock(dst []byte, after domain.Position, before time.Time, records []domain.Record) ([]byte, error) {
	e := encoder{place: placeBehind(after, before)}
	start := len(dst)
	dst = appendHead(dst, place{after, e.ms})
	var one []byte
	for _, r := range records {
		var err error
		if one, err = e.append(one[:0], r); err != nil {
			return dst[:start], err
		}
		dst = protowire.AppendTag(dst, fieldRecord, protowire.BytesType)
		dst = protowire.AppendBytes(dst, one)
		if len(dst)-start > MaxBlock {
			return dst[:start], errTooLarge
		}
	}
	return dst, nil
}

// Block is a block that has been opened for reading. It keeps the bytes it was
// opened from, which must not change.
type Block struct {
	before  place
	records []byte // from the first record on
}

// OpenBlock reads what stands in front of a block's records. The error is a
// *[MalformedError].
func OpenBlock(b []byte) (Block, error) {
	r := reader{buf: b}
	var first, ms uint64
	rest := b
	for r.next() && r.field != fieldRecord {
		switch r.field {
		case fieldFirst:
			first = r.uint()
		case fieldBeforeMS:
			ms = r.upTo(latest)
		default:
			r.skip()
		}
		rest = r.buf
	}
	switch {
	case r.problem != "":
	case first == 0 || first > lastPosition:
		r.refuse("its first position is %d", first)
	case first == 1 && ms != 0:
		r.refuse("it has a time in front of position 1")
	}
	if r.problem != "" {
		return Block{}, &MalformedError{Problem: r.problem}
	}
	return Block{place{domain.Position(first) - 1, int64(ms)}, rest}, nil
}

// First gives the position of the block's first record.
func (b Block) First() domain.Position { return b.before.last + 1 }

// Before gives the time of the record in front of the block.
func (b Block) Before() time.Time { return instant(b.before.ms) }

// Records gives the block's records in their order. An *[UnknownEventError]
// stands for one record and the iteration goes on behind it; a
// *[MalformedError] ends it.
func (b Block) Records() iter.Seq2[domain.Record, error] {
	return func(yield func(domain.Record, error) bool) {
		d := decoder{place: b.before}
		for raw, err := range b.raw() {
			if err != nil {
				yield(domain.Record{}, &MalformedError{Position: d.last + 1, Problem: err.Problem})
				return
			}
			before := d.last
			record, err := d.next(raw)
			if !yield(record, err) || d.last == before {
				return
			}
		}
	}
}

// Raw gives the stored bytes of the block's records, each a part of the block
// and not a copy. The error is a *[MalformedError] and ends the iteration.
func (b Block) Raw() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for raw, err := range b.raw() {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(raw, nil) {
				return
			}
		}
	}
}

func (b Block) raw() iter.Seq2[[]byte, *MalformedError] {
	return func(yield func([]byte, *MalformedError) bool) {
		r := reader{buf: b.records}
		for r.next() {
			if r.field != fieldRecord {
				r.skip()
				continue
			}
			raw := r.bytes()
			if r.problem == "" && !yield(raw, nil) {
				return
			}
		}
		if r.problem != "" {
			yield(nil, &MalformedError{Problem: r.problem})
		}
	}
}

// AppendJoined appends one block with the records of several, each of which must
// begin where the one in front of it ends. The bytes of the records are those
// they were.
func AppendJoined(dst []byte, blocks []Block) []byte {
	before := blocks[0].before
	dst = appendHead(dst, before)
	for _, b := range blocks {
		dst = append(dst, b.records...)
	}
	return dst
}

func appendHead(dst []byte, before place) []byte {
	dst = protowire.AppendTag(dst, fieldFirst, protowire.VarintType)
	dst = protowire.AppendVarint(dst, uint64(before.last+1))
	if before.ms != 0 {
		dst = protowire.AppendTag(dst, fieldBeforeMS, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(before.ms))
	}
	return dst
}

// End gives the position and the time of the block's last record, or of what
// stands in front of the block where it has none. The error is a
// *[MalformedError].
func (b Block) End() (domain.Position, time.Time, error) {
	end := b.before
	for raw, err := range b.raw() {
		if err != nil {
			return 0, time.Time{}, err
		}
		ms, problem := timeOf(raw, end)
		if problem != nil {
			return 0, time.Time{}, problem
		}
		end.ms = ms
		end.last++
	}
	return end.last, instant(end.ms), nil
}
