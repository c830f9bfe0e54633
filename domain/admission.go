package domain

import "time"

// admission decides one login: the rows of the decision table in their order.
// Its events are the login's whole story up to the seat, or the refusal.
type admission struct {
	ledger  *Ledger
	at      time.Time
	device  *device
	session SessionID
	request RequestLogin
	service *service
	idlers  idlers // nil for the ledger's own seats
	events  []Event
	// unqueued: the decision stands in the log of an earlier version, whose
	// refusals knew no queue.
	unqueued bool
}

// newAdmission begins a decision; it is refused to a device that has no say.
func newAdmission(l *Ledger, c RequestLogin, at time.Time) (*admission, error) {
	d := l.devices[c.Device]
	switch {
	case d == nil:
		return nil, ErrUnknownDevice
	case d.revoked:
		return nil, ErrDeviceRevoked
	}
	a := &admission{ledger: l, at: at, device: d, session: SessionID(l.next(0)), request: c}
	a.events = []Event{&LoginRequested{Device: c.Device, Service: c.Service, Account: c.Account}}
	return a, nil
}

// decide asks who may before it asks whether there is room, so that nobody
// without the right can push others out.
func (a *admission) decide() {
	a.service = a.ledger.services[a.request.Service]
	if a.service == nil {
		a.reject(&LoginRejected{Code: RejectUnknownService})
		return
	}
	if !a.permitted() {
		a.reject(&LoginRejected{Code: RejectNotPermitted})
		return
	}
	if wait := a.device.backedOff(a.at); wait > 0 {
		a.reject(&LoginRejected{Code: RejectBackedOff, RetryAfter: Some(wait)})
		return
	}
	if old := a.device.seatOn(a.service); old != nil {
		a.supersede(old)
		return
	}
	a.findRoom()
}

func (a *admission) permitted() bool {
	account, ok := a.ledger.accounts[a.request.Account]
	return ok && account.Person == a.device.person && account.Service == a.service.id
}

// supersede hands the seat of the device's own older session to the new one: it
// is never counted twice, and needs no room.
func (a *admission) supersede(old *seat) {
	a.events = append(a.events, &SessionEnded{Session: old.id, Cause: EndSuperseded})
	limit, _ := a.service.limit()
	a.admit(&LoginAdmitted{Seats: a.service.seats, Limit: limit})
}

func (a *admission) findRoom() {
	limit, isTotal := a.service.limit()
	most, limited := limit.Get()
	switch seats := a.service.seats; {
	case !limited || seats < most:
		a.admit(&LoginAdmitted{Seats: seats + 1, Limit: limit})
	case isTotal:
		a.reject(&LoginRejected{Code: RejectFailed300, Seats: seats, Limit: limit})
	case a.service.settings.IdleTimeout.IsSet():
		a.makeRoom(most)
	default:
		a.refuseBusy(&LoginRejected{Seats: seats, LongestIdle: a.longest()})
	}
}

func (a *admission) admit(e *LoginAdmitted) {
	e.Session = a.session
	a.events = append(a.events, e)
}

func (a *admission) reject(e *LoginRejected) {
	e.Session = a.session
	a.events = append(a.events, e)
}

// limit gives the limit that holds for the service and whether it is the
// protocol's total: the maximum, unless it is unset or lies above the total.
func (s *service) limit() (limit Optional[uint32], isTotal bool) {
	most, set := s.settings.MaxSessions.Get()
	total, hasTotal := s.total.Get()
	if hasTotal && (!set || total < most) {
		return s.total, true
	}
	return s.settings.MaxSessions, false
}

const (
	backOffFirst = time.Second
	backOffMost  = 5 * time.Minute
)

// backOff gives how long a device must wait after so many wrong passwords in a
// row: a second, doubled each time, at most five minutes.
func backOff(failures uint32) time.Duration {
	wait := backOffFirst
	for ; failures > 1 && wait < backOffMost; failures-- {
		wait *= 2
	}
	return min(wait, backOffMost)
}

// backedOff gives how long the device still has to wait at the time at; zero if
// it may try.
func (d *device) backedOff(at time.Time) time.Duration {
	if d.failures == 0 {
		return 0
	}
	until := time.UnixMilli(d.failed).Add(backOff(d.failures))
	return max(until.Sub(at), 0)
}
