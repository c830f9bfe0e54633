package domain

import (
	"fmt"
	"slices"
	"time"
)

// StateError tells why a [State] is not one of a ledger.
type StateError struct{ Problem string }

func (e *StateError) Error() string { return "not the state of a ledger: " + e.Problem }

// Restore gives the ledger that state was taken from: it decides everything that
// follows as the other one does. It shares nothing with state but the services'
// Options, which nobody changes. The error is a *[StateError].
func Restore(state State) (*Ledger, error) {
	r := restorer{
		ledger:  newLedgerFor(state),
		removed: make(map[ServiceID]*service),
	}
	r.restore(state)
	if r.problem != "" {
		return nil, &StateError{r.problem}
	}
	return r.ledger, nil
}

// newLedgerFor gives an empty ledger with room for what state holds.
func newLedgerFor(state State) *Ledger {
	return &Ledger{
		position: state.Position,
		now:      state.Now,
		asked:    state.Asked,
		services: make(map[ServiceID]*service, len(state.Services)),
		byName:   make(map[ServiceName]*service, len(state.Services)),
		people:   make(map[PersonID]bool, len(state.People)),
		accounts: make(map[AccountID]Account, len(state.Accounts)),
		offers:   make(map[OfferID]offer, len(state.Offers)),
		devices:  make(map[DeviceID]*device, len(state.Devices)),
		seats:    make(map[SessionID]*seat, len(state.Seats)),
	}
}

// restorer makes a ledger; what it does is void once there is a problem.
type restorer struct {
	ledger *Ledger
	// removed are services that are no longer there while their sessions are
	// still to be ended, later in the same decision.
	removed map[ServiceID]*service
	problem string
}

func (r *restorer) refuse(format string, args ...any) {
	if r.problem == "" {
		r.problem = fmt.Sprintf(format, args...)
	}
}

func (r *restorer) restore(state State) {
	l := r.ledger
	for _, s := range state.Services {
		r.service(s)
	}
	for _, p := range state.People {
		l.people[p] = true
	}
	for _, a := range state.Accounts {
		l.accounts[a.ID] = a
	}
	for _, o := range state.Offers {
		l.offers[o.ID] = offer{person: o.Person, expires: o.Expires.UnixMilli(), spent: o.Spent}
	}
	for _, d := range state.Devices {
		r.device(d)
	}
	r.seats(state)
	for _, s := range state.Services {
		if live := l.services[s.ID]; live != nil && live.seats != s.Seats {
			r.refuse("service %d has %d seats, and says %d", s.ID, live.seats, s.Seats)
		}
	}
}

func (r *restorer) service(s Service) {
	if r.ledger.services[s.ID] != nil || r.ledger.byName[s.Name] != nil {
		r.refuse("two services are number %d, or named %q", s.ID, s.Name)
	}
	live := &service{id: s.ID, name: s.Name, settings: s.Settings, total: s.Total}
	if !s.Queue.IsZero() {
		live.queue.next = s.Queue.UnixMilli()
	}
	r.ledger.services[s.ID], r.ledger.byName[s.Name] = live, live
}

func (r *restorer) device(d Device) {
	live := &device{id: d.ID, person: d.Person, failures: d.Failures, revoked: d.Revoked}
	if d.Failures > 0 {
		live.failed = d.Failed.UnixMilli()
	}
	r.ledger.devices[d.ID] = live
}

// seats takes the seats in their order, in which the devices' chains came to be,
// and then puts the live ones into the idle orders, longest idle first: each then
// finds its place at once.
func (r *restorer) seats(state State) {
	live := make([]*seat, 0, len(state.Seats))
	var before SessionID
	for _, view := range state.Seats {
		heard, known := state.Heard[view.Session]
		device := r.ledger.devices[view.Device]
		if device == nil || !known || view.Session <= before {
			r.refuse("session %d has no device, no time, or is out of order", view.Session)
			return
		}
		before = view.Session
		s := r.seat(view, device, heard)
		if r.ledger.take(s); s.live {
			live = append(live, s)
		}
	}
	slices.SortFunc(live, func(a, b *seat) int {
		if a.sooner(b) {
			return -1
		}
		return +1 // no two are the same
	})
	for _, s := range live {
		s.service.idle.add(s)
	}
}

func (r *restorer) seat(v Seat, d *device, heard time.Time) *seat {
	return &seat{
		id: v.Session, device: d, account: v.Account, service: r.serviceOf(v),
		heard: heard.UnixMilli(), fence: v.Fence, live: v.Live, covered: v.Covered,
	}
}

func (r *restorer) serviceOf(v Seat) *service {
	if s := r.ledger.services[v.Service]; s != nil {
		return s
	}
	if r.removed[v.Service] == nil {
		r.removed[v.Service] = &service{id: v.Service}
	}
	return r.removed[v.Service]
}
