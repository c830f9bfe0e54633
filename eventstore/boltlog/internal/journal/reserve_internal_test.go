package journal

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"rollcall/eventstore"
)

// crampedDisk has room for so many more files.
type crampedDisk struct {
	*simDisk
	room int
}

func (d *crampedDisk) Create(name string) (file, error) {
	if d.room == 0 {
		return nil, syscall.ENOSPC
	}
	d.room--
	return d.simDisk.Create(name)
}

// When no segment can be made any more there is room for what is reserved, and
// only for that, until there is room again.
func TestReserve(t *testing.T) {
	d := &crampedDisk{newSimDisk(), 3}
	if err := create(d, "journal", testID, testSegment); err != nil {
		t.Fatal(err)
	}
	j, _, err := open(d, "journal", Expect{ID: testID}, testSegment, false)
	if err != nil {
		t.Fatal(err)
	}
	last := eventstore.Position(0)
	appends := func(reserved bool) (n int, err error) {
		for ; err == nil && n < 100; n++ {
			_, err = j.Append(last, last+1, []byte("a frame of one sector"), reserved)
			if err == nil {
				last++
			}
		}
		return n - 1, err
	}
	const inOne = testSegment/sectorSize - 1 // behind its head
	if n, err := appends(false); n != 2*inOne || !errors.Is(err, eventstore.ErrFull) {
		t.Fatalf("%d frames, then %v; want %d, then no room", n, err, 2*inOne)
	}
	if n, err := appends(true); n != inOne || !errors.Is(err, eventstore.ErrFull) {
		t.Fatalf("%d reserved frames, then %v; want %d, then no room", n, err, inOne)
	}
	if err := j.MakeRoom(); !errors.Is(err, eventstore.ErrFull) {
		t.Errorf("MakeRoom = %v, want no room", err)
	}
	d.room = 2
	if n, err := appends(true); n != 2*inOne || !errors.Is(err, eventstore.ErrFull) {
		t.Errorf("with room for two segments: %d reserved frames, then %v; want %d", n, err, 2*inOne)
	}
	d.room = 1
	if err := j.MakeRoom(); err != nil {
		t.Errorf("MakeRoom = %v, want room", err)
	}
	if n, err := appends(false); n != 0 || !errors.Is(err, eventstore.ErrFull) {
		t.Errorf("%d frames in a full segment in front of the one that is kept, then %v; want none", n, err)
	}
	_, frames, err := open(d, "journal", Expect{ID: testID}, testSegment, true)
	if err != nil || len(frames) != int(last) {
		t.Errorf("%d frames are read, %v; want %d", len(frames), err, last)
	}
}

// Spare segments are not tried for all the time while there is no room.
func TestFullPause(t *testing.T) {
	d := &crampedDisk{newSimDisk(), 1}
	if err := create(d, "journal", testID, testSegment); err != nil {
		t.Fatal(err)
	}
	j, _, err := open(d, "journal", Expect{ID: testID}, testSegment, false)
	if err != nil {
		t.Fatal(err)
	}
	if !j.Busy() {
		t.Error("a journal of one segment needs no other")
	}
	if err := j.Release(0); !errors.Is(err, eventstore.ErrFull) {
		t.Errorf("Release = %v, want no room", err)
	}
	if j.Busy() {
		t.Error("it is tried again at once")
	}
	j.lastFull = time.Now().Add(-2 * fullPause)
	if !j.Busy() {
		t.Error("it is not tried again")
	}
}
