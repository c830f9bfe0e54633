package domain

import (
	"container/heap"
	"time"
)

// idleOrder holds the live seats of a service, longest unheard of first and, of
// those heard of in the same millisecond, the oldest session first. The order
// follows from the seats alone, not from how they came to be so: a ledger folded
// from the log has the same one.
//
// Devices in coverage are heard of all the time, nearly always as the latest of
// all: they stand in a list, where that costs one step. Of devices out of
// coverage nothing is heard, but they join in any order: they stand in a heap.
type idleOrder struct {
	head, tail *seat
	uncovered  seatHeap
}

// sooner tells whether s stands in front of t.
func (s *seat) sooner(t *seat) bool {
	return s.heard < t.heard || s.heard == t.heard && s.id < t.id
}

// add puts a seat that stands nowhere into its place.
func (o *idleOrder) add(s *seat) {
	if !s.covered {
		heap.Push(&o.uncovered, s)
		return
	}
	after := o.tail
	for after != nil && s.sooner(after) {
		after = after.prev
	}
	o.insert(s, after)
}

// insert puts s into the list behind after, at the head where after is nil.
func (o *idleOrder) insert(s, after *seat) {
	s.prev = after
	if after == nil {
		s.next, o.head = o.head, s
	} else {
		s.next, after.next = after.next, s
	}
	if s.next == nil {
		o.tail = s
	} else {
		s.next.prev = s
	}
}

// remove takes a seat out of its place.
func (o *idleOrder) remove(s *seat) {
	if !s.covered {
		heap.Remove(&o.uncovered, int(s.index))
		return
	}
	if s.prev == nil {
		o.head = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		o.tail = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
}

// move changes what is known of a live seat, and its place with it.
func (o *idleOrder) move(s *seat, covered bool, heard int64) {
	o.remove(s)
	s.covered, s.heard = covered, heard
	o.add(s)
}

// walk begins a walk over the seats in their order.
func (o *idleOrder) walk() idleWalk {
	w := o.walkUncovered()
	w.listed = o.head
	return w
}

// walkUncovered begins a walk over the seats out of coverage.
func (o *idleOrder) walkUncovered() idleWalk {
	w := idleWalk{heap: o.uncovered}
	if len(o.uncovered) > 0 {
		w.open = []int{0}
	}
	return w
}

// idleWalk gives the seats of an idleOrder one by one. What it costs depends on
// how far it goes, not on how many seats there are. The order must not change
// meanwhile.
type idleWalk struct {
	listed *seat    // the next one of the list
	heap   seatHeap // whose elements are given best first:
	open   []int    // indexes not given yet, their parents given; a heap itself
}

// next gives the next seat, nil behind the last.
func (w *idleWalk) next() *seat {
	if len(w.open) > 0 {
		if s := w.heap[w.open[0]]; w.listed == nil || s.sooner(w.listed) {
			w.expand()
			return s
		}
	}
	s := w.listed
	if s != nil {
		w.listed = s.next
	}
	return s
}

// expand replaces the first open index by those of its children.
func (w *idleWalk) expand() {
	i := heap.Pop(w).(int)
	for child := 2*i + 1; child <= 2*i+2 && child < len(w.heap); child++ {
		heap.Push(w, child)
	}
}

func (w *idleWalk) Len() int           { return len(w.open) }
func (w *idleWalk) Less(i, j int) bool { return w.heap[w.open[i]].sooner(w.heap[w.open[j]]) }
func (w *idleWalk) Swap(i, j int)      { w.open[i], w.open[j] = w.open[j], w.open[i] }
func (w *idleWalk) Push(x any)         { w.open = append(w.open, x.(int)) }

func (w *idleWalk) Pop() any {
	last := len(w.open) - 1
	i := w.open[last]
	w.open = w.open[:last]
	return i
}

// seatHeap is a heap (see container/heap) of seats which know their index in it.
type seatHeap []*seat

func (h seatHeap) Len() int           { return len(h) }
func (h seatHeap) Less(i, j int) bool { return h[i].sooner(h[j]) }

func (h seatHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = int32(i), int32(j)
}

func (h *seatHeap) Push(x any) {
	s := x.(*seat)
	s.index = int32(len(*h))
	*h = append(*h, s)
}

func (h *seatHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return s
}

// idleFor gives how long s has been idle at the time at. It is never negative,
// even if the clock has gone back since the device was heard of.
func (s *seat) idleFor(at time.Time) time.Duration {
	return max(time.Duration(at.UnixMilli()-s.heard)*time.Millisecond, 0)
}
