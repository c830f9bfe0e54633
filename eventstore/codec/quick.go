package codec

import (
	"encoding/binary"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// Replaying a log comes down to decoding records, so those that the encoder of this
// package writes for the events of every login have a quick way: they are at most
// 127 bytes long, hold first how much later they are, if at all, and then one event
// with a number up to 15 that has nothing but numbers. Everything else, be it valid
// or not, is left to the [decoder], which says what is wrong with it. A number is
// read eight bytes at a time and without a branch for each of its bytes, so that a
// record is read quickly only where so many bytes stand behind it.

const (
	tagRecord = fieldRecord<<3 | byte(protowire.BytesType)
	tagAfter  = 1<<3 | byte(protowire.VarintType)

	// quickSpare is how many bytes must stand behind a record, and quickMost how
	// many bytes one takes with them at most.
	quickSpare = 8
	quickMost  = 2 + 127 + quickSpare
)

// decodeQuickly decodes records from the beginning of the block up to the first that
// it cannot, and gives the rest.
func (s *Slab) decodeQuickly(b Block) (rest Block) {
	b.before, b.records = s.quick(b.before, b.records, len(b.records))
	if n := len(b.records); n > 0 && n <= quickMost-quickSpare { // read it where there are bytes behind it
		copy(s.end[:], b.records)
		var left []byte
		b.before, left = s.quick(b.before, s.end[:n+quickSpare], n)
		b.records = b.records[n-len(left):]
	}
	return b
}

// quick decodes the records in the first n bytes of b as far as it can, and gives
// where it stands then and the rest of those bytes.
func (s *Slab) quick(at place, b []byte, n int) (place, []byte) {
	records, time := s.records, instant(at.ms)
	done := 0
	for {
		event, after, size := s.quickOne(at.last+1, b[done:])
		if event == nil || at.ms+int64(after) > latest {
			break
		}
		if at.last++; after != 0 {
			at.ms += int64(after)
			time = instant(at.ms)
		}
		records = append(records, domain.Record{Position: at.last, Time: time, Event: event})
		done += size
	}
	s.records = records
	return at, b[done:n]
}

// quickOne decodes one record; event is nil where it cannot.
func (s *Slab) quickOne(at domain.Position, b []byte) (event domain.Event, after uint64, size int) {
	if len(b) < 2 || b[0] != tagRecord || b[1] >= 0x80 {
		return nil, 0, 0
	}
	size = 2 + int(b[1])
	if len(b) < size+quickSpare {
		return nil, 0, 0
	}
	i := 2
	if size > i && b[i] == tagAfter {
		after, i = varint(b, i+1)
	}
	if i+2 > size || b[i]&0x87 != byte(protowire.BytesType) || i+2+int(b[i+1]) != size {
		return nil, 0, 0
	}
	pool := s.pools[b[i]>>3]
	n := &s.numbers
	n.at, n.has, n.refused = at, 0, 0
	for i += 2; i < size; {
		tag := b[i]
		if tag&0x87 != byte(protowire.VarintType) || tag < 1<<3 {
			return nil, 0, 0
		}
		n.values[tag>>3&(maxNumbers-1)], i = varint(b, i+1)
		n.has |= 1 << (tag >> 3)
	}
	if i != size || pool == nil {
		return nil, 0, 0
	}
	if event = pool.make(n); n.refused != 0 {
		return nil, 0, 0
	}
	return event, after, size
}

// varint reads the number at i, which takes eight bytes or fewer, and gives the
// place behind it; of a longer one a place that is no record's end. Eight bytes
// must be there.
func varint(b []byte, i int) (v uint64, next int) {
	v = binary.LittleEndian.Uint64(b[i:])
	stop := ^v & 0x8080808080808080 // the bytes with which a number may end
	if stop == 0 {
		return 0, 1 << 30
	}
	v &= stop ^ (stop - 1) // what stands in front of the first of them
	v = v&0x007f007f007f007f | v&0x7f007f007f007f00>>1
	v = v&0x00003fff00003fff | v&0x3fff00003fff0000>>2
	v = v&0x000000000fffffff | v&0x0fffffff00000000>>4
	return v, i + bits.TrailingZeros64(stop)>>3 + 1
}
