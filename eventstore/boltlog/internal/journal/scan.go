package journal

import (
	"bytes"
	"errors"
	"fmt"

	"rollcall/eventstore"
)

// Expect is what a log knows of its journal.
type Expect struct {
	ID ID
	// Frame is the last frame that lies elsewhere already, and Position the
	// last position there.
	Frame    uint64
	Position eventstore.Position
	// Reached is a frame that the journal has had, zero where none is known, and
	// ReachedTo the last position with it.
	Reached   uint64
	ReachedTo eventstore.Position
}

// scan reads the segments of a journal in their order.
type scan struct {
	path   string
	seed   uint32
	expect Expect

	frames    []Frame // that do not lie elsewhere
	number    uint64  // of the last frame
	position  eventstore.Position
	leftovers []string // segments in the making
	first     uint64   // the number of the first segment
	last      uint64   // and of the last one
	seen      bool     // a frame has been seen
	torn      *segment // holds a torn frame
	tornTo    int64    // where that ends
}

// damage tells that nothing behind the last whole frame can be relied on.
func (s *scan) damage(to eventstore.Position, problem string) error {
	from := max(s.position, s.expect.Position) + 1
	if to < from {
		to = 0
	}
	return &eventstore.DamageError{Path: s.path, From: from, To: to, Problem: problem}
}

func (s *scan) mixed(problem string) error {
	return &eventstore.CopyError{Path: s.path, Problem: problem}
}

// gap tells whether a segment is missing between the last one and another, of which b
// is the whole file: they are numbered without a gap.
func (s *scan) gap(number uint64, b []byte) error {
	before := s.last
	if s.last = number; s.first == 0 {
		s.first = number
	}
	if before == 0 || number == before+1 {
		return nil
	}
	return s.lost(b[min(len(b), sectorSize):], missing(number-1))
}

func missing(number uint64) string {
	return fmt.Sprintf("segment %s of the journal is missing", segmentName(number))
}

// segment reads the frames of one segment, of which b is the whole file.
func (s *scan) segment(seg *segment, b []byte) error {
	b = b[:len(b)/sectorSize*sectorSize]
	for seg.end = min(sectorSize, int64(len(b))); ; {
		f, size, ok := readFrame(s.seed, b[seg.end:])
		if ok && !s.seen && s.torn == nil && f.Number > s.expect.Frame+1 {
			return s.mixed(fmt.Sprintf("the journal begins with frame %d, and log.db has frames up to %d", f.Number, s.expect.Frame))
		}
		if !ok || !s.follows(f) {
			break
		}
		if err := s.take(f); err != nil {
			return err
		}
		seg.end += int64(size)
		seg.frame = f.Number
	}
	return s.rest(seg, b[seg.end:])
}

// follows tells whether a frame can be the next one: all those that lie elsewhere
// already may be missing.
func (s *scan) follows(f Frame) bool {
	if s.torn != nil {
		return false
	}
	return f.Number == s.number+1 || f.Number > s.number && f.Number <= s.expect.Frame+1
}

// take takes a whole frame that is the next one.
func (s *scan) take(f Frame) error {
	switch {
	case f.Number <= s.expect.Frame && f.Last > s.expect.Position,
		f.Number == s.expect.Frame && f.Last != s.expect.Position,
		f.Number > s.expect.Frame && f.After != max(s.position, s.expect.Position):
		return s.mixed(fmt.Sprintf("frame %d of the journal reaches from position %d to %d, and the log behind it ends at %d", f.Number, f.After, f.Last, s.expect.Position))
	case f.Last < f.After:
		return s.damage(0, "a frame of the journal ends in front of its beginning")
	}
	s.seen, s.number, s.position = true, f.Number, f.Last
	if f.Number > s.expect.Frame {
		s.frames = append(s.frames, f)
	}
	return nil
}

// rest looks at what lies behind the last whole frame of a segment: zeros, or
// what a crash has left of the next frame. Any other sector is damage.
func (s *scan) rest(seg *segment, b []byte) error {
	b = trimZeros(b)
	next := max(s.number, s.expect.Frame) + 1
	most := len(b) / sectorSize
	for i := range len(b) / sectorSize {
		sector := b[i*sectorSize:][:sectorSize]
		if isZero(sector) {
			continue
		}
		if s.torn != nil && s.torn != seg || i >= most || !isPiece(s.seed, next, uint32(i), sector) {
			return s.bad(b[i*sectorSize:])
		}
		if i == 0 {
			if _, length, ok := readHead(s.seed, sector); ok {
				most = sectors(length)
			}
		}
		s.torn, s.tornTo = seg, seg.end+int64(i+1)*sectorSize
	}
	return nil
}

// trimZeros gives b without the zeros at its end, in whole sectors.
func trimZeros(b []byte) []byte {
	const step = 128 * sectorSize
	for n := len(b) - step; n >= 0 && bytes.Equal(b[n:], zeros[:]); n = len(b) - step {
		b = b[:n]
	}
	for n := len(b) - sectorSize; n >= 0 && isZero(b[n:]); n = len(b) - sectorSize {
		b = b[:n]
	}
	return b
}

var zeros [128 * sectorSize]byte

// bad tells of a damaged sector.
func (s *scan) bad(b []byte) error { return s.lost(b, "a frame of the journal is damaged") }

// lost tells of damage in front of b, and up to which position if a whole frame's
// beginning in it tells.
func (s *scan) lost(b []byte, problem string) error {
	var missing eventstore.Position
	for ; len(b) >= sectorSize; b = b[sectorSize:] {
		f, _, ok := readHead(s.seed, b)
		if !ok || f.Number <= s.number {
			continue
		}
		if f.Number == max(s.number, s.expect.Frame)+1 {
			missing = f.Last // its head is whole, what follows is not
		} else {
			missing = f.After
		}
		break
	}
	return s.damage(missing, problem)
}

// end looks at the whole when every segment is read.
func (s *scan) end() error {
	if s.first > 1 && !s.seen && s.expect.Frame == 0 { // the first is used again only behind a frame
		return s.damage(0, missing(s.first-1))
	}
	if s.expect.Frame > s.number && (s.seen || s.expect.Frame > 0) {
		return s.mixed(fmt.Sprintf("the journal ends with frame %d, and log.db has frames up to %d", s.number, s.expect.Frame))
	}
	if s.number < s.expect.Reached {
		return s.damage(s.expect.ReachedTo, fmt.Sprintf("the journal ends with frame %d, and has had frame %d", s.number, s.expect.Reached))
	}
	return nil
}

// head checks a segment's head and gives the size that the file has to have.
func (s *scan) head(number uint64, b []byte) (int64, error) {
	id, found, size, err := readSegmentHead(s.path, b)
	if newer := (*eventstore.FormatError)(nil); errors.As(err, &newer) {
		return 0, err
	}
	switch {
	case err != nil:
		return 0, s.damage(0, fmt.Sprintf("segment %s of the journal: %v", segmentName(number), err))
	case id != s.expect.ID:
		return 0, s.mixed(fmt.Sprintf("segment %s is of another journal", segmentName(number)))
	case found != number:
		return 0, s.damage(0, fmt.Sprintf("segment %s of the journal says it is %s", segmentName(number), segmentName(found)))
	}
	return size, nil
}
