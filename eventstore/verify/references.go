package verify

import "rollcall/domain"

// reference is one field of an event that refers to another event.
type reference struct {
	field string
	to    domain.Position
	what  *thing
	// optional tells that zero is allowed: the name that was asked for means
	// nothing, or all are meant.
	optional bool
}

// references gives what an event refers to, by its type.
var references = map[domain.EventType]func(domain.Event) []reference{
	domain.TypeServiceConfigured: refer(func(e *domain.ServiceConfigured) []reference {
		return []reference{service(e.Service)}
	}),
	domain.TypeServiceRemoved: refer(func(e *domain.ServiceRemoved) []reference {
		return []reference{service(e.Service)}
	}),
	domain.TypePersonPermitted: refer(func(e *domain.PersonPermitted) []reference {
		return []reference{person(e.Person), service(e.Service)}
	}),
	domain.TypePersonBarred: refer(func(e *domain.PersonBarred) []reference {
		return []reference{person(e.Person), orNone(account(e.Account))}
	}),
	domain.TypeEnrolmentOffered: refer(func(e *domain.EnrolmentOffered) []reference {
		return []reference{person(e.Person)}
	}),
	domain.TypeDeviceEnrolled: refer(func(e *domain.DeviceEnrolled) []reference {
		return []reference{person(e.Person), {field: "offer", to: domain.Position(e.Offer), what: anOffer}}
	}),
	domain.TypeDeviceRevoked: refer(func(e *domain.DeviceRevoked) []reference {
		return []reference{device(e.Device)}
	}),
	domain.TypeLoginRequested: refer(func(e *domain.LoginRequested) []reference {
		return []reference{device(e.Device), orNone(service(e.Service)), orNone(account(e.Account))}
	}),
	domain.TypeLoginAdmitted:    refer(func(e *domain.LoginAdmitted) []reference { return session(e.Session) }),
	domain.TypeLoginAccepted:    refer(func(e *domain.LoginAccepted) []reference { return session(e.Session) }),
	domain.TypeLoginRejected:    refer(func(e *domain.LoginRejected) []reference { return session(e.Session) }),
	domain.TypeCoverageLost:     refer(func(e *domain.CoverageLost) []reference { return session(e.Session) }),
	domain.TypeCoverageRegained: refer(func(e *domain.CoverageRegained) []reference { return session(e.Session) }),
	domain.TypeSessionResumed:   refer(func(e *domain.SessionResumed) []reference { return session(e.Session) }),
	domain.TypeSessionEnded:     refer(func(e *domain.SessionEnded) []reference { return session(e.Session) }),
	domain.TypeSessionIdledOut: refer(func(e *domain.SessionIdledOut) []reference {
		return append(session(e.Session), reference{field: "for", to: domain.Position(e.For), what: aSession})
	}),
	domain.TypeBrokerStarted: refer(func(*domain.BrokerStarted) []reference { return nil }),
	domain.TypeBrokerStopped: refer(func(*domain.BrokerStopped) []reference { return nil }),
}

func refer[E domain.Event](of func(E) []reference) func(domain.Event) []reference {
	return func(e domain.Event) []reference { return of(e.(E)) }
}

func service(id domain.ServiceID) reference {
	return reference{field: "service", to: domain.Position(id), what: aService}
}

func person(id domain.PersonID) reference {
	return reference{field: "person", to: domain.Position(id), what: aPerson}
}

func account(id domain.AccountID) reference {
	return reference{field: "account", to: domain.Position(id), what: anAccount}
}

func device(id domain.DeviceID) reference {
	return reference{field: "device", to: domain.Position(id), what: aDevice}
}

func session(id domain.SessionID) []reference {
	return []reference{{field: "session", to: domain.Position(id), what: aSession}}
}

func orNone(r reference) reference {
	r.optional = true
	return r
}

// checkReferences looks at what a record refers to; it has been noted already,
// as it may refer to itself.
func (c *checker) checkReferences(r domain.Record) {
	for _, ref := range references[r.Event.Type()](r.Event) {
		if ref.optional && ref.to == 0 || ref.to <= r.Position && c.report.things.is(ref.what, ref.to) {
			continue
		}
		c.find(Reference, r.Position, r.Position, &ReferenceError{
			Position: r.Position, Event: r.Event.Type(), Field: ref.field, To: ref.to,
			Actual: c.report.things.at(ref.to), Wanted: ref.what.wanted,
		})
	}
}
