package codec

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// reader reads the fields of one message. It keeps the first problem and then
// gives no more fields.
//
//	for r.next() {
//		switch r.field {
//		case 1:
//			e.Seats = r.uint32()
//		default:
//			r.skip()
//		}
//	}
type reader struct {
	buf     []byte
	at      domain.Position // of the record being read
	problem string
	numbers *numbers // for those of an event

	field protowire.Number
	wire  protowire.Type
}

func (r *reader) refuse(format string, args ...any) {
	if r.problem == "" {
		r.problem = fmt.Sprintf(format, args...)
	}
	r.buf = nil
}

// next goes to the next field; false at the end or after a problem.
func (r *reader) next() bool {
	if len(r.buf) == 0 || r.problem != "" {
		return false
	}
	if tag := r.buf[0]; tag >= 1<<3 && tag < 0x80 { // one byte, as nearly all are
		r.field, r.wire, r.buf = protowire.Number(tag>>3), protowire.Type(tag&7), r.buf[1:]
		return true
	}
	field, wire, n := protowire.ConsumeTag(r.buf)
	if n < 0 {
		r.refuse("no field tag: %v", protowire.ParseError(n))
		return false
	}
	r.field, r.wire, r.buf = field, wire, r.buf[n:]
	return true
}

// skip passes over a field that is not known.
func (r *reader) skip() {
	n := protowire.ConsumeFieldValue(r.field, r.wire, r.buf)
	if n < 0 {
		r.refuse("field %d: %v", r.field, protowire.ParseError(n))
		return
	}
	r.buf = r.buf[n:]
}

func (r *reader) uint() uint64 {
	if r.wire != protowire.VarintType {
		r.refuse("field %d has wire type %d, not that of a number", r.field, r.wire)
		return 0
	}
	return r.varint()
}

// varint reads a number; nearly all take one byte or two.
func (r *reader) varint() uint64 {
	if b := r.buf; len(b) > 1 {
		if b[0] < 0x80 {
			r.buf = b[1:]
			return uint64(b[0])
		}
		if b[1] < 0x80 {
			r.buf = b[2:]
			return uint64(b[0]&0x7f) | uint64(b[1])<<7
		}
	}
	v, n := protowire.ConsumeVarint(r.buf)
	if n < 0 {
		r.refuse("field %d: %v", r.field, protowire.ParseError(n))
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// upTo reads a number and refuses one above most.
func (r *reader) upTo(most uint64) uint64 {
	v := r.uint()
	if v > most {
		r.refuse("field %d is %d, above %d", r.field, v, most)
		return 0
	}
	return v
}

func (r *reader) uint32() uint32 { return uint32(r.upTo(math.MaxUint32)) }
func (r *reader) uint8() uint8   { return uint8(r.upTo(math.MaxUint8)) }
func (r *reader) bool() bool     { return r.upTo(1) == 1 }

func (r *reader) optUint() domain.Optional[uint32] { return domain.Some(r.uint32()) }

// ref reads a distance and gives the position that is meant.
func (r *reader) ref() domain.Position {
	back := r.uint()
	if back >= uint64(r.at) {
		r.refuse("field %d refers %d positions back from position %d", r.field, back, r.at)
		return 0
	}
	return r.at - domain.Position(back)
}

// mostMillis is the longest duration there is, in milliseconds.
const mostMillis = math.MaxInt64 / 1_000_000

func (r *reader) duration() time.Duration {
	ms := protowire.DecodeZigZag(r.uint())
	if ms > mostMillis || ms < -mostMillis {
		r.refuse("field %d is %d milliseconds, too long", r.field, ms)
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

func (r *reader) optDuration() domain.Optional[time.Duration] { return domain.Some(r.duration()) }

// bytes gives a part of the buffer, not a copy.
func (r *reader) bytes() []byte {
	if r.wire != protowire.BytesType {
		r.refuse("field %d has wire type %d, not that of bytes", r.field, r.wire)
		return nil
	}
	v, n := protowire.ConsumeBytes(r.buf)
	if n < 0 {
		r.refuse("field %d: %v", r.field, protowire.ParseError(n))
		return nil
	}
	r.buf = r.buf[n:]
	return v
}

func (r *reader) text() string {
	b := r.bytes()
	if !utf8.Valid(b) {
		r.refuse("field %d is not UTF-8", r.field)
		return ""
	}
	return string(b)
}

// message reads a message of its own with read.
func (r *reader) message(read func(*reader)) {
	inner := reader{buf: r.bytes(), at: r.at}
	read(&inner)
	if inner.problem != "" {
		r.refuse("%s", inner.problem)
	}
}
