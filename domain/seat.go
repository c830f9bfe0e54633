package domain

import (
	"iter"
	"time"
)

// seat is one place taken on a service: a pending login or a live session. Live
// ones stand in their service's idle order.
type seat struct {
	id      SessionID
	device  DeviceID
	account AccountID
	service *service
	live    bool
	covered bool
	fence   uint32
	heard   time.Time

	prev, next *seat
	listed     bool
}

// idleOrder holds the live seats of a service, longest unheard of first, so that
// the idle ones are found without looking at the others. It is a doubly linked
// list: hearing of a device moves its seat to the end.
type idleOrder struct{ head, tail *seat }

// touch puts s in its place for having been heard of at the time at. The common
// case, at being the latest of all, takes one step.
func (o *idleOrder) touch(s *seat, at time.Time) {
	o.remove(s)
	s.heard = at
	after := o.tail
	for after != nil && after.heard.After(at) {
		after = after.prev
	}
	o.insert(s, after)
}

// insert puts s behind after, at the head where after is nil.
func (o *idleOrder) insert(s, after *seat) {
	s.prev, s.listed = after, true
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

func (o *idleOrder) remove(s *seat) {
	if !s.listed {
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
	s.prev, s.next, s.listed = nil, nil, false
}

func (o *idleOrder) clear() {
	for o.head != nil {
		o.remove(o.head)
	}
}

// Seat is a pending login or a live session as it stands.
type Seat struct {
	Session SessionID
	Device  DeviceID
	Account AccountID
	Service ServiceID
	// Live tells a session from a login that still waits for its upstream
	// connection.
	Live bool
	// Covered tells whether the device is in reach.
	Covered bool
	// Fence is the number of the latest recorded link.
	Fence uint32
	// Heard is when the device was last heard of.
	Heard time.Time
}

func (s *seat) view() Seat {
	return Seat{s.id, s.device, s.account, s.service.id, s.live, s.covered, s.fence, s.heard}
}

// Seat gives the seat of a session or pending login.
func (l *Ledger) Seat(id SessionID) (Seat, bool) {
	if s := l.seats[id]; s != nil {
		return s.view(), true
	}
	return Seat{}, false
}

// Seats gives every seat by ascending id. The ledger must not change meanwhile.
func (l *Ledger) Seats() iter.Seq[Seat] {
	return func(yield func(Seat) bool) {
		for _, s := range l.sorted() {
			if !yield(s.view()) {
				return
			}
		}
	}
}
