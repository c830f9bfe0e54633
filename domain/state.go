package domain

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// State is all that a ledger holds, for comparing and keeping; [Restore] makes the
// ledger of it again. Each slice is in ascending order of its ids. Of two ledgers at
// the same position, one live and one folded from the log, the states are the same
// but for Heard.
type State struct {
	Position Position
	Now      time.Time // of the last record
	Asked    Asked
	Services []Service
	People   []PersonID
	Accounts []Account
	Offers   []Offer
	Devices  []Device
	// Seats have no Heard.
	Seats []Seat
	// Heard is when the device of each seat was last heard of, by touches and
	// by records.
	Heard map[SessionID]time.Time
}

// Asked is a login that has been requested and not decided yet: there is one only
// between the two records. Session is zero where there is none.
type Asked struct {
	Session SessionID
	Request LoginRequested
}

// Offer is an enrolment offer as it stands.
type Offer struct {
	ID      OfferID
	Person  PersonID
	Expires time.Time
	Spent   bool
}

// State gives the ledger's state. It shares nothing with the ledger but the
// services' Options, which nobody changes.
func (l *Ledger) State() State {
	s := State{
		Position: l.position,
		Now:      l.now,
		Asked:    l.asked,
		Services: slices.Collect(l.Services()),
		People:   slices.Sorted(maps.Keys(l.people)),
		Accounts: slices.SortedFunc(maps.Values(l.accounts), func(a, b Account) int { return cmp.Compare(a.ID, b.ID) }),
		Seats:    slices.Collect(l.Seats()),
		Heard:    make(map[SessionID]time.Time, len(l.seats)),
	}
	for _, id := range slices.Sorted(maps.Keys(l.offers)) {
		o := l.offers[id]
		s.Offers = append(s.Offers, Offer{ID: id, Person: o.person, Expires: time.UnixMilli(o.expires).UTC(), Spent: o.spent})
	}
	for _, id := range slices.Sorted(maps.Keys(l.devices)) {
		s.Devices = append(s.Devices, l.devices[id].view())
	}
	for i := range s.Seats {
		seat := &s.Seats[i]
		s.Heard[seat.Session], seat.Heard = seat.Heard, time.Time{}
	}
	return s
}
