package journal

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// Journal is an open journal. One goroutine at a time appends; another may call
// Release meanwhile.
type Journal struct {
	maker
	path     string
	seed     uint32
	size     int64 // of segments to be made
	readOnly bool

	buf    []byte // of alignedBuffer's; of the one who appends
	number uint64 // of the last frame; of the one who appends
	cached bool   // frames are written through the page cache; of the one who appends

	making sync.Mutex // held while segments are made or made new; taken before mu

	mu       sync.Mutex
	segments []*segment // by number
	active   int        // which of them is written to; those behind it are spare, the last kept
	lastFull time.Time  // when there was no room for another segment
}

// leastBuffer is how many bytes a buffer for frames has at least.
const leastBuffer = 16 << 10

// Append writes a frame and syncs it. On return without an error it is durable.
//
// The last segment is kept for frames that are reserved: any other that would
// begin it has another one made first. So there is room for what has to be
// written when the disk is full.
//
// An [eventstore.ErrFull] tells that there was no room for another segment:
// nothing was written, and the journal can be used as before. After any other error
// it is not known what is on the disk, and the journal must not be written again.
func (j *Journal) Append(after, last eventstore.Position, content []byte, reserved bool) (uint64, error) {
	f := Frame{Number: j.number + 1, After: after, Last: last, Content: content}
	if size := sectors(len(content)) * sectorSize; size > cap(j.buf) {
		j.buf = alignedBuffer(max(size, leastBuffer))
	}
	j.buf = appendFrame(j.buf[:0], j.seed, f)
	i, err := j.place(int64(len(j.buf)), reserved)
	if err != nil {
		return 0, err
	}
	s := j.segment(i)
	failpoint.Reach(failpoint.AppendBefore)
	if err := j.write(s); err != nil {
		return 0, fmt.Errorf("write to the journal: %w", err)
	}
	failpoint.Reach(failpoint.AppendWritten)
	if err := s.file.Sync(); err != nil {
		return 0, fmt.Errorf("sync the journal: %w", err)
	}
	failpoint.Reach(failpoint.AppendSynced)
	j.took(s, f.Number)
	return f.Number, nil
}

// write writes the frame in the buffer past the page cache, or through it from the
// first time on that the kernel says that the former could be done and refuses to do
// it: that is known of a file's first frame, of which then nothing has been written.
func (j *Journal) write(s *segment) error {
	if !j.cached {
		n, err := s.file.WriteSectors(j.buf, s.end)
		if n > 0 || s.taken || !errors.Is(err, syscall.EINVAL) {
			return err
		}
		j.cached = true
	}
	_, err := s.file.WriteAt(j.buf, s.end)
	return err
}

// took notes that a frame is durable. Only now is the segment in front of its own
// no longer the last one with a frame, and free to go.
func (j *Journal) took(s *segment, number uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s.end += int64(len(j.buf))
	s.frame, s.taken = number, true
	j.number = number
	for i := range j.segments {
		if j.segments[i] == s {
			j.active = i
		}
	}
	if cap(j.buf) > 4*fillBytes {
		j.buf = nil
	}
}

func (j *Journal) segment(number uint64) *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.number == number {
			return s
		}
	}
	return nil
}

// place gives the number of the first segment that has room for so many bytes,
// from the active one on, and makes some where there is none.
func (j *Journal) place(bytes int64, reserved bool) (uint64, error) {
	if n, ok := j.find(bytes, reserved); ok {
		return n, nil
	}
	j.making.Lock()
	defer j.making.Unlock()
	size := max(j.size, roundUp(sectorSize+bytes))
	for { // twice where the frame needs a larger one: that must not stay the last
		if n, ok := j.find(bytes, reserved); ok {
			return n, nil
		}
		if _, err := j.extend(size); err != nil {
			return 0, err
		}
		size = j.size
	}
}

func (j *Journal) find(bytes int64, reserved bool) (uint64, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	usable := j.segments[j.active:]
	if !reserved {
		usable = usable[:len(usable)-1]
	}
	for _, s := range usable {
		if s.room(bytes) {
			return s.number, true
		}
	}
	return 0, false
}

// MakeRoom sees to it that there is a segment behind the active one, so that what
// is not reserved can be appended again. Its errors are those of Append.
func (j *Journal) MakeRoom() error {
	j.making.Lock()
	defer j.making.Unlock()
	if j.spares() > 0 {
		return nil
	}
	_, err := j.extend(j.size)
	return err
}

func (j *Journal) spares() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.segments) - 1 - j.active
}

// extend makes another segment; making is held.
func (j *Journal) extend(size int64) (*segment, error) {
	s, err := j.make(j.nextNumber(), size)
	switch {
	case IsFull(err):
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lastFull = time.Now()
		return nil, fmt.Errorf("%w: %w", eventstore.ErrFull, err)
	case err != nil:
		return nil, fmt.Errorf("make a segment of the journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.segments = append(j.segments, s)
	return s, nil
}

func (j *Journal) nextNumber() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.segments[len(j.segments)-1].number + 1
}

// Release tells that the frames up to one lie elsewhere, for good. Segments that
// hold nothing else are zeroed and become spare ones, of which there are to be one,
// or two where the active one is getting full. An [eventstore.ErrFull] is as in
// Append; after any other error the journal must not be written again.
func (j *Journal) Release(frame uint64) error {
	j.making.Lock()
	defer j.making.Unlock()
	for {
		s, spares := j.free(frame)
		if s == nil {
			break
		}
		if err := j.reuse(s, spares); err != nil {
			return fmt.Errorf("free a segment of the journal: %w", err)
		}
	}
	if j.needsSpare() {
		_, err := j.extend(j.size)
		return err
	}
	return nil
}

// free gives the first segment if it is free, and how many spare ones there are.
func (j *Journal) free(frame uint64) (*segment, int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	spares := len(j.segments) - 1 - j.active
	if s := j.segments[0]; j.active > 0 && s.frame <= frame {
		return s, spares
	}
	return nil, spares
}

// mostSpares is how many empty segments are kept.
const mostSpares = 2

// reuse makes a free segment a spare one, or removes it where there are enough. It
// leaves the list before it is touched.
func (j *Journal) reuse(s *segment, spares int) error {
	j.mu.Lock()
	j.segments, j.active = j.segments[1:], j.active-1
	j.mu.Unlock()
	if s.size != j.size || spares >= mostSpares {
		return j.wipe(s)
	}
	fresh, err := j.recycle(s, j.nextNumber())
	if err != nil {
		return errors.Join(err, s.file.Close())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.segments = append(j.segments, fresh)
	return nil
}

// wipe removes a segment and what it held: a file that is only removed leaves its
// bytes on the disk.
func (j *Journal) wipe(s *segment) error {
	hidden := newPrefix + segmentName(s.number)
	err := j.disk.Rename(segmentName(s.number), hidden)
	if err == nil {
		err = j.disk.Sync()
	}
	if err == nil {
		err = j.fill(s.file, s.number, s.size, s.end)
	}
	if err == nil {
		err = j.disk.Remove(hidden)
	}
	return errors.Join(err, s.file.Close())
}

// fullPause is how long no spare segment is made after there was no room for one.
const fullPause = time.Second

// needsSpare tells whether a spare segment is missing: there is to be one, and two
// where the active one is half full.
func (j *Journal) needsSpare() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	want := 1
	if s := j.segments[j.active]; s.end > s.size/2 {
		want = mostSpares
	}
	return len(j.segments)-1-j.active < want && time.Since(j.lastFull) > fullPause
}

// Busy tells whether Release has something to do: where a spare segment is missing,
// or where more than one waits.
func (j *Journal) Busy() bool { return j.Waiting() > 1 || j.needsSpare() }

// Close closes the files, and gives the number of the last frame. With mark, an empty
// frame at the log's last position is written first, which proves the one in front of
// it.
func (j *Journal) Close(mark bool, last eventstore.Position) (frame uint64, err error) {
	if mark && !j.readOnly {
		if _, err = j.Append(last, last, nil, true); errors.Is(err, eventstore.ErrFull) {
			err = nil // it is only a proof
		}
	}
	return j.number, errors.Join(err, j.closeFiles())
}

func (j *Journal) closeFiles() error {
	j.making.Lock()
	defer j.making.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	for _, s := range j.segments {
		err = errors.Join(err, s.file.Close())
	}
	j.segments = nil
	return err
}

// Waiting tells how many segments wait for their frames to be released.
func (j *Journal) Waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.active
}
