package codec

import (
	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// Slab holds the records of a block that are decoded together: after the first few
// blocks without an allocation for each. The zero value is ready for use. It
// must not be used by two goroutines at once.
type Slab struct {
	records []domain.Record
	pools   []pool  // by field number; nil where an event has texts
	numbers numbers // of the record being decoded
	end     [quickMost]byte
}

// pool holds the events of one type.
type pool interface {
	// make reads an event into the next free place.
	make(*numbers) domain.Event
	// reset frees every place.
	reset()
}

// poolOf is a pool of events of type E.
type poolOf[E any, P interface {
	*E
	domain.Event
}] struct {
	decode func(*numbers, P)
	events []E
}

func (p *poolOf[E, P]) make(n *numbers) domain.Event {
	free := len(p.events)
	if free == cap(p.events) { // those decoded so far stay where they are
		p.events, free = make([]E, 0, max(64, 2*free)), 0
	}
	p.events = p.events[:free+1]
	e := P(&p.events[free])
	p.decode(n, e)
	return e
}

func (p *poolOf[E, P]) reset() { p.events = p.events[:0] }

// Reset empties the slab: the records decoded into it so far, and their events,
// must no longer be used.
func (s *Slab) Reset() {
	s.records = s.records[:0]
	for _, p := range s.pools {
		if p != nil {
			p.reset()
		}
	}
}

// fill makes the pools.
func (s *Slab) fill() {
	s.pools = make([]pool, len(byNumber))
	for number, e := range byNumber {
		if e != nil && e.pool != nil {
			s.pools[number] = e.pool()
		}
	}
}

// Records gives what has been decoded into the slab since it was reset. It is valid
// until the slab is reset or decoded into again.
func (s *Slab) Records() []domain.Record { return s.records }

// Decode decodes every record of the block into the slab, behind what is there. The
// errors are those of [Block.Records]; any of them ends it.
func (b Block) Decode(s *Slab) (err error) {
	if s.pools == nil {
		s.fill()
	}
	for len(b.records) > 0 && err == nil {
		if b = s.decodeQuickly(b); len(b.records) > 0 {
			b, err = s.decodeSlowly(b)
		}
	}
	return err
}

// decodeSlowly decodes whatever the block begins with, and gives the rest.
func (s *Slab) decodeSlowly(b Block) (rest Block, err error) {
	raw, n := consumeRecord(b.records)
	if n <= 0 { // not a record
		return Block{}, s.decodeRest(b)
	}
	d := decoder{place: b.before}
	record, err := d.next(raw)
	if err == nil {
		s.records = append(s.records, record)
	}
	return Block{d.place, b.records[n:]}, err
}

// decodeRest decodes all that is left of a block, or tells why it cannot.
func (s *Slab) decodeRest(b Block) error {
	for record, err := range b.Records() {
		if err != nil {
			return err
		}
		s.records = append(s.records, record)
	}
	return nil
}

// consumeRecord gives the bytes of the record that b begins with, and how many it
// takes with its tag; n is not positive where something else stands there.
func consumeRecord(b []byte) (raw []byte, n int) {
	if b[0] != tagRecord {
		return nil, 0
	}
	if len(b) > 1 && b[1] < 0x80 { // nearly all are this short
		if n = 2 + int(b[1]); n <= len(b) {
			return b[2:n], n
		}
		return nil, 0
	}
	raw, n = protowire.ConsumeBytes(b[1:])
	return raw, n + 1
}

// From gives the block without the records in front of a position, which are
// passed over and not decoded. The error is a *[MalformedError].
func (b Block) From(from domain.Position) (Block, error) {
	at := b.before
	rest := b.records
	for len(rest) > 0 && at.last+1 < from {
		raw, n := consumeRecord(rest)
		if n <= 0 {
			return b, nil // read it from its beginning
		}
		ms, err := timeOf(raw, at)
		if err != nil {
			return Block{}, err
		}
		at, rest = place{at.last + 1, ms}, rest[n:]
	}
	return Block{at, rest}, nil
}

// timeOf gives the time of a record that stands behind a place.
func timeOf(raw []byte, before place) (int64, error) {
	var after uint64 // the last of several counts, as everywhere
	r := reader{buf: raw}
	for r.next() {
		if r.field == 1 {
			after = r.upTo(latest)
		} else {
			r.skip()
		}
	}
	ms := before.ms + int64(after)
	switch {
	case r.problem != "":
		return 0, &MalformedError{Position: before.last + 1, Problem: r.problem}
	case ms > latest:
		return 0, &MalformedError{Position: before.last + 1, Problem: problemTooLate}
	}
	return ms, nil
}
