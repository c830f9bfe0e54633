package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"rollcall/eventstore"
)

var testID = ID{1, 2, 3}

const testSegment = 4 * sectorSize

// told is what the user of a journal knows at a moment.
type told struct {
	acked    int // frames that were acknowledged
	released int // frames that lie elsewhere
}

// story drives a journal, and notes in the trace what its user is told.
type story struct {
	t     *testing.T
	d     *simDisk
	j     *Journal
	told  []told
	sizes []int // of the contents, by frame
}

func (s *story) note(change func(*told)) {
	now := s.told[len(s.told)-1]
	change(&now)
	s.d.did(simOp{kind: simNote, at: int64(len(s.told))})
	s.told = append(s.told, now)
}

// content gives what frame n holds.
func content(n, size int) []byte {
	return bytes.Repeat([]byte{byte(n), byte(n >> 8), 0xa5}, size/3+1)[:size]
}

// frameN gives frame n, which ends at position n.
func (s *story) frameN(n int) Frame {
	return Frame{Number: uint64(n), After: eventstore.Position(n - 1), Last: eventstore.Position(n), Content: content(n, s.sizes[n])}
}

func (s *story) append(sizes ...int) {
	s.t.Helper()
	s.appendAs(false, sizes...)
}

func (s *story) appendAs(reserved bool, sizes ...int) {
	s.t.Helper()
	for _, size := range sizes {
		n := len(s.sizes)
		s.sizes = append(s.sizes, size)
		f := s.frameN(n)
		if _, err := s.j.Append(f.After, f.Last, f.Content, reserved); err != nil {
			s.t.Fatal(err)
		}
		s.note(func(t *told) { t.acked = n })
	}
}

func (s *story) release(frame int) {
	s.t.Helper()
	s.note(func(t *told) { t.released = frame })
	if err := s.j.Release(uint64(frame)); err != nil {
		s.t.Fatal(err)
	}
}

// play tells a story of frames short and long, of segments made, used again and
// removed.
func play(t *testing.T) *story {
	s := &story{t: t, d: newSimDisk(), told: []told{{}}, sizes: []int{0}}
	if err := create(s.d, "journal", testID, testSegment); err != nil {
		t.Fatal(err)
	}
	s.note(func(*told) {})
	j, _, err := open(s.d, "journal", Expect{ID: testID}, testSegment, false)
	if err != nil {
		t.Fatal(err)
	}
	s.j = j
	s.append(10, 600)
	s.release(0)
	s.append(1, 2, 900)
	s.release(3)
	s.append(3*sectorSize, 5)
	s.release(7)
	s.append(0, 4, 1000, 4)
	s.release(8)
	s.append(7, 1300)
	s.release(13) // all there is; the next frame begins a segment
	s.append(5)
	s.release(13)
	s.append(6)
	s.appendAs(true, 1300, 900) // into the last segment, and then another
	return s
}

// knows gives what the user knew when so many steps were done, and when the first
// journal was there.
func (s *story) knows(steps []simOp) (now told, begun bool) {
	for _, op := range steps {
		if op.kind == simNote {
			now, begun = s.told[op.at], true
		}
	}
	return now, begun
}

// After a power cut at any step, whichever of the unsynced writes and names are
// lost, all that was acknowledged is there, nothing half, and the journal goes on;
// and so it is if the power is cut again while it is being repaired.
func TestPowerCut(t *testing.T) {
	s := play(t)
	states, exhaustive, samples := 0, 9, 64
	if os.Getenv("ROLLCALL_TORTURE") != "" {
		exhaustive, samples = 14, 1<<12
	}
	for n := range len(s.d.trace) + 1 {
		steps, loose := split(s.d.trace[:n])
		now, begun := s.knows(steps)
		if !begun {
			continue // the log has not said yet that it has a journal
		}
		for lost := range subsets(loose, exhaustive, samples) {
			states++
			d := after(steps, lost)
			s.check(after(steps, lost), now)
			s.cutRepair(d, now)
			if t.Failed() {
				t.Fatalf("power cut after step %d of %v, with %v lost", n, s.d.trace[:n], lost)
			}
		}
	}
	t.Logf("%d states of the disk", states)
}

// subsets gives every subset of the steps if they are few, else a number of random
// ones, and the two extremes.
func subsets(loose []int, exhaustive, samples int) func(func(map[int]bool) bool) {
	return func(yield func(map[int]bool) bool) {
		if len(loose) <= exhaustive {
			for bits := range 1 << len(loose) {
				if !yield(subset(loose, func(i int) bool { return bits>>i&1 == 1 })) {
					return
				}
			}
			return
		}
		random := rand.New(rand.NewPCG(uint64(len(loose)), 1))
		for n := range samples {
			p := float64(n%8) / 7
			if !yield(subset(loose, func(int) bool { return random.Float64() < p })) {
				return
			}
		}
	}
}

func subset(loose []int, in func(i int) bool) map[int]bool {
	lost := make(map[int]bool)
	for i, step := range loose {
		if in(i) {
			lost[step] = true
		}
	}
	return lost
}

func (s *story) expect(now told) Expect {
	return Expect{ID: testID, Frame: uint64(now.released), Position: eventstore.Position(now.released)}
}

// check opens what a power cut has left, and goes on.
func (s *story) check(d *simDisk, now told) {
	s.t.Helper()
	j, frames, err := open(d, "journal", s.expect(now), testSegment, false)
	if err != nil {
		s.t.Errorf("open: %v", err)
		return
	}
	last := s.want(frames, now)
	for range 5 { // over what was torn
		last++
		if n, err := j.Append(eventstore.Position(last-1), eventstore.Position(last), content(last, 300), false); err != nil || n != uint64(last) {
			s.t.Errorf("Append = %d, %v; want %d", n, err, last)
			return
		}
	}
	_, again, err := open(d, "journal", s.expect(now), testSegment, true)
	if err != nil || len(again) != last-now.released {
		s.t.Errorf("opened again: %d frames, %v; want %d", len(again), err, last-now.released)
	}
}

// want fails unless the frames are those acknowledged, and perhaps the next one,
// and gives the number of the last.
func (s *story) want(frames []Frame, now told) int {
	s.t.Helper()
	if got := now.released + len(frames); got != now.acked && (got != now.acked+1 || got >= len(s.sizes)) {
		s.t.Errorf("frames %d to %d are there, %d were acknowledged", now.released+1, got, now.acked)
		return got
	}
	for i, f := range frames {
		want := s.frameN(now.released + 1 + i)
		if f.Number != want.Number || f.After != want.After || f.Last != want.Last || !bytes.Equal(f.Content, want.Content) {
			s.t.Errorf("frame %d is %+v", want.Number, f)
		}
	}
	return now.released + len(frames)
}

// cutRepair cuts the power again at each step of opening.
func (s *story) cutRepair(d *simDisk, now told) {
	s.t.Helper()
	start := clone(d)
	if _, _, err := open(d, "journal", s.expect(now), testSegment, false); err != nil {
		return // told by check
	}
	for n := range len(d.trace) + 1 {
		steps, loose := split(d.trace[:n])
		for lost := range subsets(loose, 4, 64) {
			again := clone(start)
			for i, op := range steps {
				if !lost[i] {
					again.redo(op, d)
				}
			}
			_, frames, err := open(again, "journal", s.expect(now), testSegment, false)
			if err != nil {
				s.t.Errorf("open after a cut at step %d of repairing, %v: %v", n, d.trace[:n], err)
				return
			}
			s.want(frames, now)
		}
	}
}

func clone(d *simDisk) *simDisk {
	c := newSimDisk()
	for name, f := range d.names {
		c.names[name] = &simFile{disk: c, id: f.id, b: slices.Clone(f.b)}
	}
	return c
}

// redo does on a clone what was done to the files of another disk.
func (d *simDisk) redo(op simOp, other *simDisk) {
	switch op.kind {
	case simWrite:
		for name, f := range other.names {
			if f == op.file {
				d.names[name].b = overwrite(d.names[name].b, op.data, op.at)
			}
		}
	case simRemove:
		delete(d.names, op.name)
	}
}

// A cut file, wherever it is cut, and a flipped bit, wherever it is, is noticed,
// or nothing is lost.
func TestDamage(t *testing.T) {
	s := play(t)
	now := told{acked: len(s.sizes) - 1, released: 13}
	examine := func(d *simDisk, what string) {
		t.Helper()
		_, frames, err := open(d, "journal", s.expect(now), testSegment, true)
		if err == nil {
			if len(frames) != now.acked-now.released {
				t.Errorf("%s: %d frames are left, and no word of it", what, len(frames))
			}
			return
		}
		wantTyped(t, what, err)
		for i, f := range frames {
			if want := s.frameN(now.released + 1 + i); !bytes.Equal(f.Content, want.Content) {
				t.Errorf("%s: frame %d is wrong", what, f.Number)
			}
		}
	}
	for name, f := range s.d.names {
		for at := range f.b {
			d := clone(s.d)
			d.names[name].b[at] ^= 1 << (at % 8)
			examine(d, fmt.Sprintf("bit %d of byte %d of %s flipped", at%8, at, name))
			d = clone(s.d)
			d.names[name].b = d.names[name].b[:at]
			if _, _, err := open(d, "journal", s.expect(now), testSegment, true); err == nil {
				t.Errorf("%s cut to %d bytes: not noticed", name, at)
			}
			examine(d, fmt.Sprintf("%s cut to %d bytes", name, at))
		}
		d := clone(s.d)
		delete(d.names, name)
		examineMissing(t, s, d, now, name)
	}
}

func wantTyped(t *testing.T, what string, err error) {
	t.Helper()
	var damage *eventstore.DamageError
	var mixed *eventstore.CopyError
	if !errors.As(err, &damage) && !errors.As(err, &mixed) {
		t.Errorf("%s: open = %T %v, want a DamageError or a CopyError", what, err, err)
	}
}

// examineMissing looks at a journal that lacks one of its segments: that is told,
// unless it was a spare one or its frames lie elsewhere, or it was the last, which
// nothing proves.
func examineMissing(t *testing.T, s *story, d *simDisk, now told, name string) {
	t.Helper()
	_, frames, err := open(d, "journal", s.expect(now), testSegment, true)
	if err != nil {
		wantTyped(t, name+" missing", err)
		return
	}
	for i, f := range frames {
		if int(f.Number) != now.released+1+i {
			t.Errorf("%s missing: frame %d comes after %d", name, f.Number, now.released+i)
		}
	}
}
