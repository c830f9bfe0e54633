package journal

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"rollcall/eventstore"
)

// proudDisk refuses to write past the page cache.
type proudDisk struct {
	*simDisk
	takes int // so many writes first
	part  int // so many bytes are written all the same
	with  error
	asked int // how often it was asked to
}

type proudFile struct {
	file
	disk *proudDisk
}

func (d *proudDisk) Create(name string) (file, error) { return d.file(d.simDisk.Create(name)) }

func (d *proudDisk) Open(name string, write bool) (file, error) {
	return d.file(d.simDisk.Open(name, write))
}

func (d *proudDisk) file(f file, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return proudFile{f, d}, nil
}

func (f proudFile) WriteSectors(b []byte, at int64) (int, error) {
	if f.disk.asked++; f.disk.asked <= f.disk.takes {
		return f.file.WriteSectors(b, at)
	}
	if f.disk.part == 0 {
		return 0, f.disk.with
	}
	n, err := f.file.WriteSectors(b[:f.disk.part], at)
	return n, errors.Join(f.disk.with, err)
}

// Where the kernel takes no writes past the page cache though it said so, the journal
// does without from then on; any other refusal ends it, and so does this one behind a
// frame that the same file has taken, or when a part was written.
func TestDirectWriteRefused(t *testing.T) {
	const inOne = testSegment/sectorSize - 1 // frames of a sector in a segment
	for _, c := range []struct {
		name        string
		takes, part int
		with        error
		frames      int // that are taken
		asked       int
	}{
		{"at the first frame", 0, 0, syscall.EINVAL, 20, 1},
		{"at the next file's first frame", inOne, 0, syscall.EINVAL, 20, inOne + 1},
		{"behind a frame", 1, 0, syscall.EINVAL, 1, 2},
		{"in part", 0, sectorSize, syscall.EINVAL, 0, 1},
		{"for another reason", 0, 0, syscall.EIO, 0, 1},
		{"for want of room", 0, 0, syscall.ENOSPC, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &proudDisk{simDisk: newSimDisk(), takes: c.takes, part: c.part, with: c.with}
			if err := create(d, "journal", testID, testSegment); err != nil {
				t.Fatal(err)
			}
			j, _, err := open(d, "journal", Expect{ID: testID}, testSegment, false)
			if err != nil {
				t.Fatal(err)
			}
			frames := 0
			for err == nil && frames < 20 {
				p := eventstore.Position(frames)
				if _, err = j.Append(p, p+1, content(frames, 100), false); err == nil {
					frames++
				}
			}
			if frames != c.frames || frames < 20 && !errors.Is(err, c.with) || d.asked != c.asked {
				t.Errorf("%d frames, then %v; written past the cache %d times; want %d, %v, %d", frames, err, d.asked, c.frames, c.with, c.asked)
			}
			if frames == 20 {
				wantFrames(t, d.simDisk, frames)
			}
		})
	}
}

// wantFrames fails unless the journal on a disk holds so many frames, each with a
// content of 100 bytes, and can be written again.
func wantFrames(t *testing.T, d disk, want int) {
	t.Helper()
	j, frames, err := open(d, "journal", Expect{ID: testID}, testSegment, false)
	if err != nil || len(frames) != want {
		t.Fatalf("%d frames are read, %v; want %d", len(frames), err, want)
	}
	for i, f := range frames {
		if !slices.Equal(f.Content, content(i, 100)) {
			t.Errorf("frame %d holds %x", f.Number, f.Content)
		}
	}
	if _, err := j.Append(eventstore.Position(want), eventstore.Position(want), nil, false); err != nil {
		t.Error(err)
	}
}
