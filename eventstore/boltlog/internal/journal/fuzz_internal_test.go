package journal

import (
	"errors"
	"testing"

	"rollcall/eventstore"
)

// Whatever a segment holds, it is refused with a typed error, or it has frames, and
// the journal goes on behind them.
func FuzzSegment(f *testing.F) {
	head := appendSegmentHead(nil, testID, 1, testSegment)
	frame := appendFrame(nil, testID.seed(), Frame{Number: 1, Last: 1, Content: content(1, 300)})
	whole := make([]byte, testSegment)
	copy(whole[copy(whole, head):], frame)
	f.Add(whole)
	f.Add(whole[:700])
	long := appendFrame(nil, testID.seed(), Frame{Number: 1, Last: 1, Content: content(1, 900)})
	clear(long[sectorSize:])
	torn := append(append([]byte{}, head...), long...)
	f.Add(append(torn, make([]byte, testSegment-len(torn))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newSimDisk()
		d.names[segmentName(1)] = &simFile{disk: d, b: b}
		j, frames, err := open(d, "journal", Expect{ID: testID}, testSegment, false)
		if err != nil {
			var format *eventstore.FormatError
			if !errors.As(err, &format) {
				wantTyped(t, "fuzzed", err)
			}
			return
		}
		next := eventstore.Position(0)
		if len(frames) > 0 {
			next = frames[len(frames)-1].Last
		}
		if _, err := j.Append(next, next+1, []byte("next"), false); err != nil {
			t.Fatal(err)
		}
		if _, again, err := open(d, "journal", Expect{ID: testID}, testSegment, true); err != nil || len(again) != len(frames)+1 {
			t.Errorf("opened again: %d frames, %v; want %d", len(again), err, len(frames)+1)
		}
	})
}
