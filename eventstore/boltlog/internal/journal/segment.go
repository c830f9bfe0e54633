package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

const (
	segmentMagic = "RCJS"
	// Format is the newest format of segments that this version reads, and the
	// one it writes.
	Format = 1

	newPrefix = "new-" // of a segment in the making
)

// segment is one file of the journal.
type segment struct {
	file   file
	number uint64
	size   int64
	end    int64  // where its frames end
	frame  uint64 // the last of its frames; zero where it has none
	taken  bool   // the file has taken a frame since it was opened
}

func segmentName(number uint64) string { return fmt.Sprintf("%016x", number) }

// parseName gives the number of the segment with that name; false if it is none.
func parseName(name string) (uint64, bool) {
	number, err := strconv.ParseUint(name, 16, 64)
	return number, err == nil && name == segmentName(number)
}

// room tells whether a frame of so many bytes fits behind the last.
func (s *segment) room(bytes int64) bool { return s.end+bytes <= s.size }

// appendSegmentHead appends a segment's first sector to dst.
func appendSegmentHead(dst []byte, id ID, number uint64, size int64) []byte {
	start := len(dst)
	dst = append(dst, segmentMagic...)
	dst = binary.BigEndian.AppendUint32(dst, Format)
	dst = append(dst, id[:]...)
	dst = binary.BigEndian.AppendUint64(dst, number)
	dst = binary.BigEndian.AppendUint64(dst, uint64(size))
	dst = append(dst, zeroSector[:start+pieceSize-len(dst)]...)
	return binary.BigEndian.AppendUint32(dst, sealHead(id.seed(), dst[start:]))
}

// readSegmentHead reads a segment's first sector, whose magic, format, id and
// checksum are the same in every format.
func readSegmentHead(path string, sector []byte) (id ID, number uint64, size int64, err error) {
	if len(sector) < sectorSize || string(sector[:4]) != segmentMagic {
		return id, 0, 0, errors.New("it is no segment of a journal")
	}
	copy(id[:], sector[8:])
	number, size = binary.BigEndian.Uint64(sector[24:]), int64(binary.BigEndian.Uint64(sector[32:]))
	if binary.BigEndian.Uint32(sector[pieceSize:]) != sealHead(id.seed(), sector[:pieceSize]) {
		return id, 0, 0, errors.New("the checksum of its head is wrong")
	}
	if format := binary.BigEndian.Uint32(sector[4:]); format > Format {
		return id, 0, 0, &eventstore.FormatError{Path: path, Found: format, Newest: Format}
	}
	return id, number, size, nil
}

// fillBytes is how much is written at once where a segment is filled.
const fillBytes = 1 << 20

// make writes a new segment: filled, synced, named, and the folder synced. After
// an error there is none of it, or a file that is removed on opening.
func (m *maker) make(number uint64, size int64) (*segment, error) {
	name := newPrefix + segmentName(number)
	f, err := m.disk.Create(name)
	if err != nil {
		return nil, err
	}
	err = m.fill(f, number, size, size)
	if err == nil {
		failpoint.Reach(failpoint.SegmentSynced)
		err = m.disk.Rename(name, segmentName(number))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), m.disk.Remove(name))
	}
	failpoint.Reach(failpoint.SegmentNamed)
	if err := m.disk.Sync(); err != nil {
		return nil, errors.Join(err, f.Close(), m.disk.Remove(segmentName(number)))
	}
	return &segment{file: f, number: number, size: size, end: sectorSize}, nil
}

// maker makes segments and makes old ones new.
type maker struct {
	disk  disk
	id    ID
	zeros []byte
}

// fill writes the head and zeros up to a place, and syncs.
func (m *maker) fill(f file, number uint64, size, upTo int64) error {
	if m.zeros == nil {
		m.zeros = make([]byte, fillBytes)
	}
	for at := int64(sectorSize); at < upTo; at += fillBytes {
		if _, err := f.WriteAt(m.zeros[:min(fillBytes, upTo-at)], at); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(appendSegmentHead(nil, m.id, number, size), 0); err != nil {
		return err
	}
	failpoint.Reach(failpoint.SegmentFilled)
	return f.Sync()
}

// recycle makes a segment whose frames lie elsewhere into an empty one. Its name
// goes first and for good: what is half zeroed must never be read. The error
// leaves open what is there.
func (m *maker) recycle(s *segment, number uint64) (*segment, error) {
	hidden := newPrefix + segmentName(number)
	failpoint.Reach(failpoint.RecycleBefore)
	if err := m.disk.Rename(segmentName(s.number), hidden); err != nil {
		return nil, err
	}
	failpoint.Reach(failpoint.RecycleHidden)
	if err := m.disk.Sync(); err != nil {
		return nil, err
	}
	if err := m.fill(s.file, number, s.size, s.end); err != nil {
		return nil, err
	}
	failpoint.Reach(failpoint.RecycleZeroed)
	if err := m.disk.Rename(hidden, segmentName(number)); err != nil {
		return nil, err
	}
	failpoint.Reach(failpoint.RecycleNamed)
	if err := m.disk.Sync(); err != nil {
		return nil, err
	}
	return &segment{file: s.file, number: number, size: s.size, end: sectorSize, taken: s.taken}, nil
}

func isNew(name string) bool { return strings.HasPrefix(name, newPrefix) }
