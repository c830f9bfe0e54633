package why

import (
	"errors"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// view is a decision, and how things stood in front of it.
type view struct {
	records []domain.Record
	at      int // the index of the subject
	rows    map[int]control.AuditRow

	service  *domain.Service // that the subject is about; nil where there is none
	set      mark            // where its settings were set
	device   domain.Device   // of the subject
	mismatch *domain.MismatchError
}

// view looks at the open decision before it is folded.
func (t *teller) view(at int) *view {
	v := &view{records: t.open, at: at, rows: make(map[int]control.AuditRow)}
	serviceID, deviceID := t.concerned(v)
	if s, ok := t.ledger.Service(serviceID); ok {
		v.service, v.set = &s, t.set[serviceID]
	}
	v.device, _ = t.ledger.Device(deviceID)
	errors.As(domain.Redecide(t.ledger, t.open), &v.mismatch)
	return v
}

// concerned gives the service and the device that the subject is about.
func (t *teller) concerned(v *view) (domain.ServiceID, domain.DeviceID) {
	if e, ok := v.records[0].Event.(*domain.LoginRequested); ok {
		return e.Service, e.Device // a login makes room on the service it asks for only
	}
	switch e := v.subject().Event.(type) {
	case *domain.ServiceRemoved:
		return e.Service, 0
	case *domain.PersonPermitted:
		return e.Service, 0
	}
	seat, _ := t.ledger.Seat(t.session)
	return seat.Service, seat.Device
}

func (v *view) subject() domain.Record { return v.records[v.at] }

// needs tells whether the row of a record is told with the decision: that of the
// subject, that of what began the decision, and those of who made room.
func (v *view) needs(i int) bool {
	_, idledOut := v.records[i].Event.(*domain.SessionIdledOut)
	return i == v.at || i == 0 || idledOut
}

// tell gives the account of a decision that has been folded.
func (t *teller) tell(v *view) (control.WhyDecision, error) {
	d := control.WhyDecision{
		Event: v.rows[v.at], First: v.records[0].Position, Last: v.records[len(v.records)-1].Position, Same: v.mismatch == nil,
	}
	if v.mismatch != nil {
		d.Difference = v.mismatch.Error()
	}
	if begun := v.rows[0]; begun.Session != d.Event.Session {
		d.Cause = &begun
	}
	d.MadeRoom = v.madeRoom()
	w := v.words()
	d.Outcome, d.Rule, d.Reason, d.Evidence, d.Next = w.outcome, w.rule, w.reason, w.evidence, w.next
	if v.service != nil {
		d.Settings = &control.WhySettings{Service: control.ServiceOf(t.log, *v.service), Position: v.set.position, Time: v.set.time}
	}
	var err error
	if _, refused := v.subject().Event.(*domain.LoginRejected); refused && v.service != nil {
		d.Seats, err = t.seats(v.service.ID)
	}
	return d, err
}

// madeRoom gives the sessions that were logged out for a login, where that is
// the subject.
func (v *view) madeRoom() []control.AuditRow {
	var rows []control.AuditRow
	for i, r := range v.records {
		if e, ok := r.Event.(*domain.SessionIdledOut); ok && e.For == v.rows[v.at].Session {
			rows = append(rows, v.rows[i])
		}
	}
	return rows
}

// mostHolders is how many of those who hold seats a brief account names.
const mostHolders = 5

// seats tells who holds the seats of a service.
func (t *teller) seats(id domain.ServiceID) (*control.WhySeats, error) {
	seats := &control.WhySeats{Holders: []control.Holder{}}
	for s := range t.ledger.Seats() {
		if s.Service != id {
			continue
		}
		if seats.Taken++; t.brief && len(seats.Holders) == mostHolders {
			continue
		}
		who, err := t.names.Names(s.Session)
		if err != nil {
			return nil, err
		}
		seats.Holders = append(seats.Holders, control.Holder{
			Session: s.Session, UUID: t.log.UUID(domain.Position(s.Session)), Account: who.Account, Person: who.Person,
			Device: s.Device, Label: who.Label, State: stateOf(s), Heard: s.Heard,
		})
	}
	return seats, nil
}
