package audit

import "rollcall/domain"

var (
	address      = []extra{{"address", domain.SideAddress}}
	upstreamText = []extra{{"upstream_text", domain.SideUpstreamText}}
)

// subject takes in a record and gives what it is about. An event that this
// version does not know is about nothing; its row still stands.
func (j *joiner) subject(r domain.Record) subject {
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
func (j *joiner) sessionSubject(r domain.Record) subject {
	switch e := r.Event.(type) {
	case *domain.LoginRequested:
		j.sessions[domain.SessionID(r.Position)] = *e
		return j.of(domain.SessionID(r.Position), address, false)
	case *domain.LoginAdmitted:
		return j.of(e.Session, nil, false)
	case *domain.LoginAccepted:
		return j.of(e.Session, nil, false)
	case *domain.LoginRejected:
		return j.of(e.Session, upstreamText, true)
	case *domain.CoverageLost:
		return j.of(e.Session, nil, false)
	case *domain.CoverageRegained:
		return j.of(e.Session, nil, false)
	case *domain.SessionResumed:
		return j.of(e.Session, nil, false)
	case *domain.SessionIdledOut:
		return j.of(e.Session, nil, true)
	case *domain.SessionEnded:
		return j.of(e.Session, upstreamText, true)
	}
	return subject{}
}

// of gives the subject of an event about a session.
func (j *joiner) of(id domain.SessionID, extras []extra, over bool) subject {
	login := j.sessions[id]
	return subject{
		session: id, service: login.Service, account: login.Account,
		device: login.Device, person: j.devices[login.Device],
		extras: extras, over: over,
	}
}
