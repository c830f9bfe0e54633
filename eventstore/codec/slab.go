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
	pools   [len(byNumber)]pool
}

// pool holds the events of one type.
type pool interface {
	// decode reads an event into the next free place.
	decode(*reader) domain.Event
	// reset frees every place.
	reset()
}

// poolOf is a pool of events of type E.
type poolOf[E any, P interface {
	*E
	domain.Event
}] struct {
	read   func(*reader, P)
	events []E
}

func (p *poolOf[E, P]) decode(r *reader) domain.Event {
	n := len(p.events)
	if n == cap(p.events) { // those decoded so far stay where they are
		p.events, n = make([]E, 0, max(64, 2*n)), 0
	}
	p.events = p.events[:n+1]
	e := &p.events[n]
	var zero E
	*e = zero
	p.read(r, e)
	return P(e)
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

// Records gives what has been decoded into the slab since it was reset. It is valid
// until the slab is reset or decoded into again.
func (s *Slab) Records() []domain.Record { return s.records }

// Decode decodes every record of the block into the slab, behind what is there. The
// errors are those of [Block.Records]; any of them ends it.
func (b Block) Decode(s *Slab) error {
	at := b.before
	rest := b.records
	r := reader{}
	for len(rest) > 0 {
		raw, n := consumeRecord(rest)
		if n <= 0 {
			return b.decodeSlowly(s, at, rest)
		}
		event, ms, ok := s.fast(&r, raw, at)
		if !ok {
			return b.decodeSlowly(s, at, rest)
		}
		at = place{at.last + 1, ms}
		s.records = append(s.records, domain.Record{Position: at.last, Time: instant(ms), Event: event})
		rest = rest[n:]
	}
	return nil
}

// consumeRecord gives the bytes of the record that b begins with, and how many it
// takes with its tag; n is not positive where something else stands there.
func consumeRecord(b []byte) (raw []byte, n int) {
	if b[0] != fieldRecord<<3|byte(protowire.BytesType) {
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

// fast decodes a record as the encoder of this package writes it; ok is false for
// any other, be it a valid one or not.
func (s *Slab) fast(r *reader, b []byte, before place) (event domain.Event, ms int64, ok bool) {
	ms = before.ms
	if len(b) > 1 && b[0] == 1<<3|byte(protowire.VarintType) {
		after, n := protowire.ConsumeVarint(b[1:])
		if n < 0 || after > latest {
			return nil, 0, false
		}
		ms, b = ms+int64(after), b[1+n:]
	}
	if len(b) < 2 || ms > latest {
		return nil, 0, false
	}
	*r = reader{buf: b, at: before.last + 1}
	if !r.next() || r.wire != protowire.BytesType {
		return nil, 0, false
	}
	p := s.pool(r.field)
	if length := r.varint(); p == nil || r.problem != "" || length != uint64(len(r.buf)) {
		return nil, 0, false
	}
	event = p.decode(r)
	return event, ms, r.problem == ""
}

func (s *Slab) pool(number protowire.Number) pool {
	if int(number) >= len(s.pools) {
		return nil
	}
	if p := s.pools[number]; p != nil {
		return p
	}
	if e := byNumber[number]; e != nil {
		s.pools[number] = e.pool()
	}
	return s.pools[number]
}

// decodeSlowly decodes the rest of a block, one record at a time.
func (b Block) decodeSlowly(s *Slab, at place, rest []byte) error {
	for record, err := range (Block{at, rest}).Records() {
		if err != nil {
			return err
		}
		s.records = append(s.records, record)
	}
	return nil
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
	ms := before.ms
	r := reader{buf: raw}
	for r.next() {
		if r.field == 1 {
			ms += int64(r.upTo(latest))
		} else {
			r.skip()
		}
	}
	switch {
	case r.problem != "":
		return 0, &MalformedError{Position: before.last + 1, Problem: r.problem}
	case ms > latest:
		return 0, &MalformedError{Position: before.last + 1, Problem: problemTooLate}
	}
	return ms, nil
}
