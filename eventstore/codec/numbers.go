package codec

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// maxNumbers is one more than the highest field number among [numbers], which is
// the highest whose tag takes one byte.
const maxNumbers = 16

// numbers are the fields of an event that has nothing but numbers, as nearly all
// have. They are gathered first, in whatever order they stand, and then asked for
// by field number; one that is absent is zero, or unset. The methods are small
// enough that the compiler puts them where they are called.
type numbers struct {
	at     domain.Position // of the record being read
	has    uint16          // a bit for each field that is there
	values [maxNumbers]uint64

	refused int    // a field whose value is above what it may be; 0 if there is none
	most    uint64 // what it may be
}

func (n *numbers) set(field protowire.Number, v uint64) {
	n.has |= 1 << field
	n.values[field] = v
}

// upTo gives a number and refuses one above most.
func (n *numbers) upTo(field int, most uint64) uint64 {
	if n.has>>field&1 == 0 {
		return 0
	}
	v := n.values[field]
	if v > most {
		n.refused, n.most, v = field, most, 0
	}
	return v
}

func (n *numbers) uint32(field int) uint32 { return uint32(n.upTo(field, math.MaxUint32)) }
func (n *numbers) uint8(field int) uint8   { return uint8(n.upTo(field, math.MaxUint8)) }
func (n *numbers) bool(field int) bool     { return n.upTo(field, 1) == 1 }

func (n *numbers) optUint(field int) (o domain.Optional[uint32]) {
	if n.has>>field&1 != 0 {
		o = domain.Some(n.uint32(field))
	}
	return o
}

// ref gives the position that is meant by a distance.
func (n *numbers) ref(field int) domain.Position {
	if n.has>>field&1 == 0 {
		return 0
	}
	return n.at - domain.Position(n.upTo(field, uint64(n.at-1)))
}

func (n *numbers) duration(field int) time.Duration {
	return time.Duration(protowire.DecodeZigZag(n.upTo(field, 2*mostMillis))) * time.Millisecond
}

func (n *numbers) optDuration(field int) (o domain.Optional[time.Duration]) {
	if n.has>>field&1 != 0 {
		o = n.someDuration(field)
	}
	return o
}

func (n *numbers) someDuration(field int) domain.Optional[time.Duration] {
	return domain.Some(n.duration(field))
}

// gather reads the fields up to the highest that is known; the others are passed
// over.
func (n *numbers) gather(r *reader, known protowire.Number) {
	n.at, n.has, n.refused = r.at, 0, 0
	for r.next() {
		if r.field > known {
			r.skip()
		} else {
			n.set(r.field, r.uint())
		}
	}
}
