package domain

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// Ledger is the state that decisions are made on: every service with its
// limits, who may do what, and every seat. It is folded from records with Apply.
//
// When each device was last heard of comes in through Touch and is not in the
// log; whatever a decision made of it is written into the decision's events.
//
// A Ledger is not safe for concurrent use: one goroutine owns it.
type Ledger struct {
	position Position
	now      time.Time
	asked    Asked // what an admission that follows refers to

	services map[ServiceID]*service
	byName   map[ServiceName]*service
	people   map[PersonID]bool
	accounts map[AccountID]Account
	offers   map[OfferID]offer
	devices  map[DeviceID]*device
	seats    map[SessionID]*seat
}

type service struct {
	id       ServiceID
	name     ServiceName
	settings Settings
	total    Optional[uint32]
	seats    uint32
	idle     idleOrder
	queue    queue
}

type offer struct {
	person  PersonID
	expires int64 // Unix milliseconds
	spent   bool
}

type device struct {
	id       DeviceID
	person   PersonID
	failed   int64 // when the last wrong password came; Unix milliseconds
	seats    *seat // at most one a service, chained by sibling
	failures uint32
	revoked  bool
}

// NewLedger gives the ledger of an empty log.
func NewLedger() *Ledger {
	return &Ledger{
		services: make(map[ServiceID]*service),
		byName:   make(map[ServiceName]*service),
		people:   make(map[PersonID]bool),
		accounts: make(map[AccountID]Account),
		offers:   make(map[OfferID]offer),
		devices:  make(map[DeviceID]*device),
		seats:    make(map[SessionID]*seat),
	}
}

// Apply folds r into the ledger. Records come in the order of their positions,
// each once. It cannot fail: what refers to something that is not there changes
// nothing but the position and the time. It keeps nothing of the event's memory.
func (l *Ledger) Apply(r Record) {
	l.position, l.now = r.Position, r.Time
	r.Event.apply(l, r.Position, r.Time)
}

// Touch notes that the device of a live session was heard of at the time at.
// Unknown and pending sessions are ignored, and so is a time before the last
// known one. A session out of coverage is ignored too: that its device is heard
// of again is a fact for the log, see [RegainCoverage] and [ResumeSession].
func (l *Ledger) Touch(id SessionID, at time.Time) {
	heard := at.UnixMilli()
	if s := l.seats[id]; s != nil && s.live && s.covered && heard > s.heard {
		s.service.idle.move(s, true, heard)
	}
}

// Position gives the position of the last record applied.
func (l *Ledger) Position() Position { return l.position }

// Stamp gives the time for a record that is written at the time at: at as an
// [Instant], or the last record's time where the clock has gone back.
func (l *Ledger) Stamp(at time.Time) time.Time {
	at = Instant(at)
	if at.Before(l.now) {
		return l.now
	}
	return at
}

// next gives the position of the event that is index places into a decision.
func (l *Ledger) next(index int) Position { return l.position + 1 + Position(index) }

// People gives every person that an event has begun, in no order.
func (l *Ledger) People() iter.Seq[PersonID] { return maps.Keys(l.people) }

// Accounts gives every account that is permitted, in no order.
func (l *Ledger) Accounts() iter.Seq[AccountID] { return maps.Keys(l.accounts) }

// Offers gives every enrolment offer, spent and expired ones included, in no
// order.
func (l *Ledger) Offers() iter.Seq[OfferID] { return maps.Keys(l.offers) }

// Devices gives every device, revoked ones included, in no order.
func (l *Ledger) Devices() iter.Seq[DeviceID] { return maps.Keys(l.devices) }

// Account is one account that a person may use on a service.
type Account struct {
	ID      AccountID
	Person  PersonID
	Service ServiceID
}

// Account gives an account; false where it is unknown or barred.
func (l *Ledger) Account(id AccountID) (Account, bool) {
	a, ok := l.accounts[id]
	return a, ok
}

// Service is a service as it stands.
type Service struct {
	ID       ServiceID
	Name     ServiceName
	Settings Settings
	Total    Optional[uint32]
	// Seats are the seats taken, pending logins included.
	Seats uint32
	// Queue is the end of the queue of devices that found the house full: when
	// the next of them is to return, at the earliest. It is zero where nobody is
	// waited for, and may have passed.
	Queue time.Time
}

func (s *service) view() Service {
	v := Service{ID: s.id, Name: s.name, Settings: s.settings, Total: s.total, Seats: s.seats}
	if s.queue.next != 0 {
		v.Queue = time.UnixMilli(s.queue.next).UTC()
	}
	return v
}

// Service gives a configured service.
func (l *Ledger) Service(id ServiceID) (Service, bool) {
	if s := l.services[id]; s != nil {
		return s.view(), true
	}
	return Service{}, false
}

// ServiceNamed gives the configured service of that name.
func (l *Ledger) ServiceNamed(name ServiceName) (Service, bool) {
	if s := l.byName[name]; s != nil {
		return s.view(), true
	}
	return Service{}, false
}

// Services gives every configured service by ascending id.
func (l *Ledger) Services() iter.Seq[Service] {
	return func(yield func(Service) bool) {
		for _, id := range slices.Sorted(maps.Keys(l.services)) {
			if !yield(l.services[id].view()) {
				return
			}
		}
	}
}

// Device is an enrolled device as it stands.
type Device struct {
	ID      DeviceID
	Person  PersonID
	Revoked bool
	// Failures are the wrong passwords in a row, and Failed is when the last of
	// them came.
	Failures uint32
	Failed   time.Time
}

func (d *device) view() Device {
	v := Device{ID: d.id, Person: d.person, Revoked: d.revoked, Failures: d.failures}
	if d.failures > 0 {
		v.Failed = time.UnixMilli(d.failed).UTC()
	}
	return v
}

// Device gives an enrolled device, revoked ones included.
func (l *Ledger) Device(id DeviceID) (Device, bool) {
	if d := l.devices[id]; d != nil {
		return d.view(), true
	}
	return Device{}, false
}

// NextInactive gives the earliest time at which [ExpireInactive] would end a
// session if nothing more is heard; false if there is no such time.
func (l *Ledger) NextInactive() (next time.Time, ok bool) {
	for _, svc := range l.services {
		timeout, set := svc.settings.InactivityTimeout.Get()
		if !set {
			continue
		}
		walk := svc.idle.walk()
		longest := walk.next()
		if longest == nil {
			continue
		}
		if at := time.UnixMilli(longest.heard).UTC().Add(timeout); !ok || at.Before(next) {
			next, ok = at, true
		}
	}
	return next, ok
}
