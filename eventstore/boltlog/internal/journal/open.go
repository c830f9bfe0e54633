package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// Create makes an empty journal in the folder path, which must not be there or
// hold no frame of a journal. Segments have the size given, in bytes.
func Create(path string, id ID, size int64) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return create(folder(path), path, id, size)
}

func create(d disk, path string, id ID, size int64) error {
	if err := clearEmpty(d, path); err != nil {
		return err
	}
	m := &maker{disk: d, id: id}
	s, err := m.make(1, roundUp(size))
	if err != nil {
		return err
	}
	return s.file.Close()
}

// Occupied gives a *[eventstore.CopyError] where the folder path holds frames of a
// journal. Who makes a log anew must not lose those.
func Occupied(path string) error {
	d := folder(path)
	names, err := d.List()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		if _, ok := parseName(name); ok && err == nil {
			err = occupied(d, path, name)
		}
	}
	return err
}

func occupied(d disk, path, name string) error {
	f, err := d.Open(name, false)
	if err != nil {
		return err
	}
	b, err := readAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if slices.ContainsFunc(b[min(len(b), sectorSize):], func(c byte) bool { return c != 0 }) {
		return &eventstore.CopyError{Path: path, Problem: "the journal holds batches, and log.db, which they go behind, is missing, or is another one"}
	}
	return nil
}

// clearEmpty removes what an unfinished Create has left, and refuses to remove
// anything in which there is a frame.
func clearEmpty(d disk, path string) error {
	names, err := d.List()
	if err == nil {
		err = d.Sync() // names may be known to the kernel only
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := parseName(name); ok {
			if err := occupied(d, path, name); err != nil {
				return err
			}
		} else if !isNew(name) {
			continue
		}
		if err := shred(d, name); err != nil {
			return err
		}
	}
	return nil
}

// shred removes a file, and before that what it holds: a segment that was to be used
// again may have kept its frames.
func shred(d disk, name string) error {
	f, err := d.Open(name, true)
	if err != nil {
		return err
	}
	size, err := f.Size()
	zeros := make([]byte, min(size, fillBytes))
	for at := int64(0); at < size && err == nil; at += fillBytes {
		_, err = f.WriteAt(zeros[:min(fillBytes, size-at)], at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return d.Remove(name)
}

func readAll(f file) ([]byte, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > math.MaxInt32*2 {
		return nil, fmt.Errorf("a segment of %d bytes", size)
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// Open opens the journal in the folder path and gives the frames that do not lie
// elsewhere yet. For writing, what a crash has left is repaired; for reading,
// nothing is written.
//
// Damage is an *[eventstore.DamageError]; the frames in front of it come with it,
// and no journal. A journal that is not the one the log expects is an
// *[eventstore.CopyError], one of a newer format an *[eventstore.FormatError].
func Open(path string, expect Expect, size int64, readOnly bool) (*Journal, []Frame, error) {
	return open(folder(path), path, expect, size, readOnly)
}

func open(d disk, path string, expect Expect, size int64, readOnly bool) (*Journal, []Frame, error) {
	j := &Journal{maker: maker{disk: d, id: expect.ID}, path: path, seed: expect.ID.seed(), size: roundUp(size), readOnly: readOnly}
	s := &scan{path: path, seed: j.seed, expect: expect}
	err := j.load(s)
	if err == nil && !readOnly {
		err = j.repair(s)
	}
	if err != nil {
		return nil, s.frames, errors.Join(err, j.closeFiles())
	}
	return j, s.frames, nil
}

// load opens and reads every segment.
func (j *Journal) load(s *scan) error {
	names, err := j.disk.List()
	if errors.Is(err, fs.ErrNotExist) {
		return s.mixed("the folder is missing, and log.db needs it")
	}
	if err != nil {
		return err
	}
	slices.Sort(names) // of fixed width: by number
	for _, name := range names {
		if number, ok := parseName(name); ok {
			if err := j.loadSegment(s, name, number); err != nil {
				return err
			}
		} else if isNew(name) {
			s.leftovers = append(s.leftovers, name)
		}
	}
	if len(j.segments) == 0 {
		return s.mixed("there is no segment of the journal")
	}
	for i, seg := range j.segments {
		if seg.frame != 0 {
			j.active = i
		}
	}
	j.number = s.number
	return s.end()
}

func (j *Journal) loadSegment(s *scan, name string, number uint64) error {
	f, err := j.disk.Open(name, !j.readOnly)
	if err != nil {
		return err
	}
	seg := &segment{file: f, number: number}
	j.segments = append(j.segments, seg)
	b, err := readAll(f)
	if err != nil {
		return err
	}
	if seg.size, err = s.head(number, b); err != nil {
		return err
	}
	if err := s.gap(number, b); err != nil {
		return err
	}
	if err := s.segment(seg, b); err != nil {
		return err
	}
	if int64(len(b)) != seg.size {
		return s.damage(0, fmt.Sprintf("segment %s of the journal has been cut off: %d of %d bytes are left", name, len(b), seg.size))
	}
	return nil
}

// repair removes segments in the making, zeroes a torn frame, and writes the last whole
// one again: if the process before this one failed to sync it, it may be in memory only,
// and the kernel may hold that for written.
func (j *Journal) repair(s *scan) error {
	failpoint.Reach(failpoint.RecoverBefore)
	if err := j.disk.Sync(); err != nil { // names may be known to the kernel only
		return err
	}
	for _, name := range s.leftovers {
		if err := shred(j.disk, name); err != nil {
			return err
		}
	}
	seg := s.torn
	if seg != nil {
		if _, err := seg.file.WriteAt(make([]byte, s.tornTo-seg.end), seg.end); err != nil {
			return err
		}
		failpoint.Reach(failpoint.RecoverZeroed)
		if err := seg.file.Sync(); err != nil {
			return err
		}
	}
	if err := j.rewrite(s); err != nil {
		return err
	}
	failpoint.Reach(failpoint.RecoverSynced)
	return nil
}

func (j *Journal) rewrite(s *scan) error {
	if len(s.frames) == 0 {
		return nil
	}
	last := s.frames[len(s.frames)-1]
	for _, seg := range j.segments {
		if seg.frame != last.Number {
			continue
		}
		b := appendFrame(nil, j.seed, last)
		if _, err := seg.file.WriteAt(b, seg.end-int64(len(b))); err != nil {
			return err
		}
		failpoint.Reach(failpoint.RecoverRewritten)
		return seg.file.Sync()
	}
	return nil
}

func roundUp(size int64) int64 { return max(2, (size+sectorSize-1)/sectorSize) * sectorSize }
