package audit

import "rollcall/domain"

var (
	address      = []extra{{"address", domain.SideAddress}}
	upstreamText = []extra{{"upstream_text", domain.SideUpstreamText}}
)

// subject takes in a record and gives what it is about. An event that this
// version does not know is about nothing; its row still stands.
func (j *Joiner) subject(r domain.Record) subject {
	switch e := r.Event.(type) {
	case *domain.ServiceConfigured:
		j.services[e.Service] = e.Name
		return subject{service: e.Service}
	case *domain.ServiceRemoved:
		return subject{service: e.Service}
	case *domain.PersonPermitted:
		j.accounts[domain.AccountID(r.Position)] = *e
		return subject{person: e.Person, service: e.Service, account: domain.AccountID(r.Position)}
	case *domain.PersonBarred:
		return subject{person: e.Person, account: e.Account, service: j.accounts[e.Account].Service}
	case *domain.EnrolmentOffered:
		return subject{person: e.Person}
	case *domain.DeviceEnrolled:
		j.devices[domain.DeviceID(r.Position)] = e.Person
		return subject{person: e.Person, device: domain.DeviceID(r.Position)}
	case *domain.DeviceRevoked:
		return subject{person: j.devices[e.Device], device: e.Device}
	}
	return j.sessionSubject(r)
}

// sessionSubject is subject for the events of a session.
func (j *Joiner) sessionSubject(r domain.Record) subject {
	id := SessionOf(r)
	switch e := r.Event.(type) {
	case *domain.LoginRequested:
		j.sessions[id] = *e
		return j.of(id, address, false)
	case *domain.LoginRejected, *domain.SessionEnded:
		return j.of(id, upstreamText, true)
	case *domain.SessionIdledOut:
		return j.of(id, nil, true)
	}
	if id == 0 {
		return subject{}
	}
	return j.of(id, nil, false)
}

// SessionOf gives the session that a record is about; zero where it is about none.
func SessionOf(r domain.Record) domain.SessionID {
	switch e := r.Event.(type) {
	case *domain.LoginRequested:
		return domain.SessionID(r.Position)
	case *domain.LoginAdmitted:
		return e.Session
	case *domain.LoginAccepted:
		return e.Session
	case *domain.LoginRejected:
		return e.Session
	case *domain.CoverageLost:
		return e.Session
	case *domain.CoverageRegained:
		return e.Session
	case *domain.SessionResumed:
		return e.Session
	case *domain.SessionIdledOut:
		return e.Session
	case *domain.SessionEnded:
		return e.Session
	}
	return 0
}

// of gives the subject of an event about a session.
func (j *Joiner) of(id domain.SessionID, extras []extra, over bool) subject {
	login := j.sessions[id]
	return subject{
		session: id, service: login.Service, account: login.Account,
		device: login.Device, person: j.devices[login.Device],
		extras: extras, over: over,
	}
}
