package audit

import (
	"context"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// Joiner makes rows of records, for whoever reads a log from its beginning: each
// record is given to Row or to Pass, in order and once. It remembers what later
// events may refer to. It is not safe for concurrent use.
type Joiner struct {
	ctx context.Context // of the one iteration that the joiner serves
	log Log

	services map[domain.ServiceID]domain.ServiceName
	accounts map[domain.AccountID]domain.PersonPermitted
	devices  map[domain.DeviceID]domain.PersonID
	sessions map[domain.SessionID]domain.LoginRequested
	names    map[domain.SideKey]string // of people, accounts and devices
}

// NewJoiner gives the joiner of a log of which nothing has been read. It looks
// names up with ctx.
func NewJoiner(ctx context.Context, log Log) *Joiner {
	return &Joiner{
		ctx: ctx, log: log,
		services: make(map[domain.ServiceID]domain.ServiceName),
		accounts: make(map[domain.AccountID]domain.PersonPermitted),
		devices:  make(map[domain.DeviceID]domain.PersonID),
		sessions: make(map[domain.SessionID]domain.LoginRequested),
		names:    make(map[domain.SideKey]string),
	}
}

// subject is what an event is about. over tells that nothing later refers to the
// session.
type subject struct {
	session domain.SessionID
	service domain.ServiceID
	account domain.AccountID
	person  domain.PersonID
	device  domain.DeviceID
	extras  []extra
	over    bool
}

// extra is a side record that is shown among the event's fields.
type extra struct {
	field string
	kind  domain.SideKind
}

// Row takes in a record and gives its row, with the names.
func (j *Joiner) Row(r domain.Record) (control.AuditRow, error) {
	row, _, err := j.row(r, control.AuditFilter{})
	return row, err
}

// Pass takes in a record whose row nobody wants.
func (j *Joiner) Pass(r domain.Record) {
	if s := j.subject(r); s.over {
		delete(j.sessions, s.session)
	}
}

// Names gives whom a session that is not over belongs to: a row without an event.
func (j *Joiner) Names(id domain.SessionID) (control.AuditRow, error) {
	s := j.of(id, nil, false)
	row := control.AuditRow{Session: id, Device: s.device, Service: j.services[s.service]}
	return row, j.join(&row, s)
}

// row takes in a record and gives its row; wanted is false where the filter
// keeps it out.
func (j *Joiner) row(r domain.Record, f control.AuditFilter) (row control.AuditRow, wanted bool, err error) {
	s := j.subject(r)
	if s.over {
		defer delete(j.sessions, s.session)
	}
	if r.Time.Before(f.From) || f.Session != 0 && f.Session != s.session {
		return row, false, nil
	}
	row = control.AuditRow{
		Position: r.Position, Time: r.Time, Type: r.Event.Type().String(),
		Session: s.session, PersonID: s.person, Device: s.device, Service: j.services[s.service],
	}
	if err := j.join(&row, s); err != nil || !matches(f, row) {
		return row, false, err
	}
	extras, err := j.extras(s)
	if err != nil {
		return row, false, err
	}
	row.UUID = j.log.ID().UUID(r.Position)
	row.Fields, err = fields(r.Event, extras)
	return row, true, err
}

// join adds the names.
func (j *Joiner) join(row *control.AuditRow, s subject) error {
	joins := []struct {
		to *string
		at domain.Position
		of domain.SideKind
	}{
		{&row.Person, domain.Position(s.person), domain.SidePersonName},
		{&row.Account, domain.Position(s.account), domain.SideAccountName},
		{&row.Label, domain.Position(s.device), domain.SideDeviceLabel},
	}
	for _, join := range joins {
		if err := j.name(join.to, join.at, join.of); err != nil {
			return err
		}
	}
	return j.asked(row, s)
}

// asked adds the names that a login asked for where they are nobody's.
func (j *Joiner) asked(row *control.AuditRow, s subject) error {
	if s.session == 0 {
		return nil
	}
	at := domain.Position(s.session)
	if s.account == 0 {
		account, err := j.side(at, domain.SideAccountName)
		if err != nil {
			return err
		}
		row.Account = account
	}
	if s.service == 0 {
		service, err := j.side(at, domain.SideServiceName)
		if err != nil {
			return err
		}
		row.Service = domain.ServiceName(service)
	}
	return nil
}

// name looks a name up once and remembers it.
func (j *Joiner) name(to *string, at domain.Position, kind domain.SideKind) error {
	if at == 0 {
		return nil
	}
	key := domain.SideKey{Position: at, Kind: kind}
	known, ok := j.names[key]
	if !ok {
		var err error
		if known, err = j.side(at, kind); err != nil {
			return err
		}
		j.names[key] = known
	}
	*to = known
	return nil
}

func (j *Joiner) side(at domain.Position, kind domain.SideKind) (string, error) {
	value, _, err := j.log.Side(j.ctx, domain.SideKey{Position: at, Kind: kind})
	return string(value), err
}

func (j *Joiner) extras(s subject) (map[string]string, error) {
	found := make(map[string]string)
	for _, x := range s.extras {
		value, err := j.side(domain.Position(s.session), x.kind)
		if err != nil {
			return nil, err
		}
		if value != "" {
			found[x.field] = value
		}
	}
	return found, nil
}
