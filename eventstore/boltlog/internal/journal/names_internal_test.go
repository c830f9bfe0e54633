package journal

import (
	"bytes"
	"errors"
	"testing"

	"rollcall/eventstore/boltlog/internal/failpoint"
)

// dyingAt runs work up to a place, as a process that is killed there.
func dyingAt(t *testing.T, place string, work func()) {
	t.Helper()
	died := errors.New(place)
	failpoint.Hook = func(p string) {
		if p == place {
			panic(died)
		}
	}
	defer func() {
		failpoint.Hook = nil
		if recover() != died {
			t.Errorf("it never came to %s", place)
		}
	}()
	work()
}

func mustOpen(t *testing.T, d disk, expect Expect) (*Journal, []Frame) {
	t.Helper()
	j, frames, err := open(d, "journal", expect, testSegment, false)
	if err != nil {
		t.Fatal(err)
	}
	return j, frames
}

// A process is killed when a new segment has its name and the folder is not synced. The
// next one puts a reserved frame into it, which does not wait for another segment. When
// the power is cut then, the segment has its name.
func TestNameThatOnlyTheKernelKnew(t *testing.T) {
	d := newSimDisk()
	if err := create(d, "journal", testID, testSegment); err != nil {
		t.Fatal(err)
	}
	j, _ := mustOpen(t, d, Expect{ID: testID})
	if _, err := j.Append(0, 1, content(1, 1300), true); err != nil { // fills the first
		t.Fatal(err)
	}
	dyingAt(t, failpoint.SegmentNamed, func() { j.MakeRoom() })
	j, _ = mustOpen(t, d, Expect{ID: testID})
	if _, err := j.Append(1, 2, content(2, 600), true); err != nil {
		t.Fatal(err)
	}
	steps, loose := split(d.trace)
	lost := make(map[int]bool)
	for _, i := range loose {
		lost[i] = true
	}
	if _, frames := mustOpen(t, after(steps, lost), Expect{ID: testID}); len(frames) != 2 {
		t.Errorf("after the power cut there are %d frames, want both", len(frames))
	}
}

// A process is killed when a segment that was to be used again has lost its name. What
// was in it is not only out of reach after the next start, but gone.
func TestLeftoverIsZeroed(t *testing.T) {
	d := newSimDisk()
	if err := create(d, "journal", testID, testSegment); err != nil {
		t.Fatal(err)
	}
	j, _ := mustOpen(t, d, Expect{ID: testID})
	secret := bytes.Repeat([]byte("a secret "), 20)
	if _, err := j.Append(0, 1, secret, false); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(1, 2, content(2, 1300), false); err != nil { // begins the second
		t.Fatal(err)
	}
	dyingAt(t, failpoint.RecycleHidden, func() { j.Release(1) })
	mustOpen(t, d, Expect{ID: testID, Frame: 1, Position: 1})
	for _, op := range d.trace {
		if op.file != nil && bytes.Contains(op.file.b, secret[:9]) {
			t.Fatalf("file %d still holds what was freed", op.file.id)
		}
	}
}
