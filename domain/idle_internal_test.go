package domain

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestIdleOrder compares the order with one that is sorted afresh each time.
func TestIdleOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o idleOrder
		var seats []*seat
		for id := range SessionID(rapid.IntRange(1, 200).Draw(t, "steps")) {
			heard, covered := rapid.Int64Range(0, 20).Draw(t, "heard"), rapid.Bool().Draw(t, "covered")
			switch {
			case len(seats) == 0 || rapid.Bool().Draw(t, "new"):
				s := &seat{id: id, heard: heard, covered: covered}
				o.add(s)
				seats = append(seats, s)
			case rapid.IntRange(0, 2).Draw(t, "leaves") == 0:
				i := rapid.IntRange(0, len(seats)-1).Draw(t, "which")
				o.remove(seats[i])
				seats = slices.Delete(seats, i, i+1)
			default:
				o.move(rapid.SampledFrom(seats).Draw(t, "who"), covered, heard)
			}
			checkWalk(t, o.walk(), seats)
			checkWalk(t, o.walkUncovered(), slices.DeleteFunc(slices.Clone(seats), func(s *seat) bool { return s.covered }))
		}
	})
}

func checkWalk(t *rapid.T, walk idleWalk, seats []*seat) {
	want := slices.SortedFunc(slices.Values(seats), func(a, b *seat) int {
		return cmp.Or(cmp.Compare(a.heard, b.heard), cmp.Compare(a.id, b.id))
	})
	for i, w := range append(want, nil) {
		if got := walk.next(); got != w {
			t.Fatalf("seat %d of the walk = %+v, want %+v", i, got, w)
		}
	}
}
