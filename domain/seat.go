package domain

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"
)

// seat is one place taken on a service: a pending login or a live session. Live
// ones stand in their service's idle order. There may be a million: every field
// counts.
type seat struct {
	id      SessionID
	device  *device
	account AccountID
	service *service
	heard   int64  // when the device was last heard of; Unix milliseconds
	fence   uint32 // the number of the latest recorded link
	index   int32  // the place in the idle order's heap, out of coverage
	live    bool
	covered bool

	prev, next *seat // in the idle order's list, in coverage
	sibling    *seat // the next seat of the same device
}

// take gives a device a seat.
func (l *Ledger) take(s *seat) {
	l.seats[s.id] = s
	s.service.seats++
	s.sibling, s.device.seats = s.device.seats, s
}

// free gives a seat back.
func (l *Ledger) free(s *seat) {
	if s.live {
		s.service.idle.remove(s)
	}
	delete(l.seats, s.id)
	s.service.seats--
	for at := &s.device.seats; *at != nil; at = &(*at).sibling {
		if *at == s {
			*at = s.sibling
			break
		}
	}
}

// seatOn gives the seat that a device holds on a service, or nil.
func (d *device) seatOn(on *service) *seat {
	s := d.seats
	for s != nil && s.service != on {
		s = s.sibling
	}
	return s
}

// live gives the seat of a live session.
func (l *Ledger) live(id SessionID) (*seat, error) {
	s := l.seats[id]
	if s == nil || !s.live {
		return nil, ErrUnknownSession
	}
	return s, nil
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
	// Fence is the number of the latest recorded link: 1 for the one that
	// logged in.
	Fence uint32
	// Heard is when the device was last heard of.
	Heard time.Time
}

func (s *seat) view() Seat {
	return Seat{s.id, s.device.id, s.account, s.service.id, s.live, s.covered, s.fence, time.UnixMilli(s.heard).UTC()}
}

// Seat gives the seat of a session or pending login.
func (l *Ledger) Seat(id SessionID) (Seat, bool) {
	if s := l.seats[id]; s != nil {
		return s.view(), true
	}
	return Seat{}, false
}

// SeatOf gives the seat that a device holds on a service.
func (l *Ledger) SeatOf(device DeviceID, on ServiceID) (Seat, bool) {
	d := l.devices[device]
	if d == nil {
		return Seat{}, false
	}
	if s := d.seatOn(l.services[on]); s != nil {
		return s.view(), true
	}
	return Seat{}, false
}

// Seats gives every seat by ascending id. The ledger must not change meanwhile.
func (l *Ledger) Seats() iter.Seq[Seat] {
	return func(yield func(Seat) bool) {
		for _, s := range l.seatsWhere(func(*seat) bool { return true }) {
			if !yield(s.view()) {
				return
			}
		}
	}
}

// seatsWhere gives every seat of which match is true, by ascending id. It looks
// at all of them.
func (l *Ledger) seatsWhere(match func(*seat) bool) []*seat {
	var found []*seat
	for s := range maps.Values(l.seats) {
		if match(s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *seat) int { return cmp.Compare(a.id, b.id) })
	return found
}
