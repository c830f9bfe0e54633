package domain_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rollcall/domain"
)

// model watches a log and knows the promises about it, told once more and
// without the ledger: it counts seats by hand and looks at every session.
type model struct {
	now      time.Time
	services map[domain.ServiceID]*domain.ServiceConfigured
	asked    map[domain.SessionID]domain.ServiceID
	phase    map[domain.SessionID]string // admitted, live, over
	seats    map[domain.SessionID]*heardOf
	broken   []string
}

type heardOf struct {
	service domain.ServiceID
	live    bool
	covered bool
	at      time.Time
}

func newModel() *model {
	return &model{
		services: make(map[domain.ServiceID]*domain.ServiceConfigured),
		asked:    make(map[domain.SessionID]domain.ServiceID),
		phase:    make(map[domain.SessionID]string),
		seats:    make(map[domain.SessionID]*heardOf),
	}
}

func (m *model) taken(id domain.ServiceID) (n uint32) {
	for _, s := range m.seats {
		if s.service == id {
			n++
		}
	}
	return n
}

func (m *model) breaks(format string, args ...any) {
	m.broken = append(m.broken, fmt.Sprintf(format, args...))
}

func (m *model) touch(id domain.SessionID, at time.Time) {
	if s := m.seats[id]; s != nil && s.live && s.covered && at.After(s.at) {
		s.at = at
	}
}

// decided checks the records of one decision and takes them in.
func (m *model) decided(records []domain.Record) {
	if len(records) == 0 {
		return
	}
	m.now = records[0].Time
	before := make(map[domain.ServiceID]uint32)
	for id := range m.services {
		before[id] = m.taken(id)
	}
	m.checkVictims(records)
	for _, r := range records {
		m.take(r, before)
	}
}

func (m *model) take(r domain.Record, before map[domain.ServiceID]uint32) {
	switch e := r.Event.(type) {
	case *domain.BrokerStarted:
		for _, s := range m.seats {
			s.covered, s.at = false, r.Time
		}
	case *domain.ServiceConfigured:
		m.services[e.Service] = e
	case *domain.LoginRequested:
		m.asked[domain.SessionID(r.Position)] = e.Service
	case *domain.LoginAdmitted:
		m.admit(e, before)
	case *domain.LoginAccepted:
		m.step(e.Session, "admitted", "live")
		*m.seats[e.Session] = heardOf{m.asked[e.Session], true, true, r.Time}
	case *domain.LoginRejected:
		m.reject(e)
	case *domain.CoverageLost:
		s := m.seats[e.Session]
		s.covered, s.at = false, r.Time.Add(-e.Silent)
	case *domain.CoverageRegained:
		m.seats[e.Session].covered, m.seats[e.Session].at = true, r.Time
	case *domain.SessionResumed:
		m.seats[e.Session].covered, m.seats[e.Session].at = true, r.Time
	case *domain.SessionIdledOut:
		m.step(e.Session, "live", "over")
		delete(m.seats, e.Session)
	case *domain.SessionEnded:
		if p := m.phase[e.Session]; p != "admitted" {
			m.step(e.Session, "live", "over")
		}
		m.phase[e.Session] = "over"
		delete(m.seats, e.Session)
	}
}

func (m *model) step(id domain.SessionID, from, to string) {
	if m.phase[id] != from {
		m.breaks("session %d becomes %s and was %q, not %s", id, to, m.phase[id], from)
	}
	m.phase[id] = to
}

// limit gives what holds for a service, and whether it is the protocol's total.
func (m *model) limit(id domain.ServiceID) (limit uint32, total, limited bool) {
	c := m.services[id]
	most, hasMost := c.Settings.MaxSessions.Get()
	all, hasAll := c.Total.Get()
	switch {
	case hasMost && (!hasAll || most <= all):
		return most, false, true
	case hasAll:
		return all, true, true
	}
	return 0, false, false
}

// admit checks the promise that matters most: no admission raises the seats
// above the limit. Where the limit was lowered below them, they only fall.
func (m *model) admit(e *domain.LoginAdmitted, before map[domain.ServiceID]uint32) {
	m.step(e.Session, "", "admitted")
	service := m.asked[e.Session]
	m.seats[e.Session] = &heardOf{service: service, covered: true}
	n := m.taken(service)
	limit, _, limited := m.limit(service)
	if limited && n > limit && n > before[service] {
		m.breaks("session %d raises the seats to %d, above the limit of %d", e.Session, n, limit)
	}
	if e.Seats != n {
		m.breaks("session %d says that %d seats are taken, and there are %d", e.Session, e.Seats, n)
	}
}

func (m *model) reject(e *domain.LoginRejected) {
	if m.phase[e.Session] != "" {
		m.step(e.Session, "admitted", "over")
		delete(m.seats, e.Session)
		return
	}
	m.phase[e.Session] = "over"
	if e.Code != domain.RejectServerBusy && e.Code != domain.RejectFailed300 {
		return
	}
	service := m.asked[e.Session]
	limit, total, limited := m.limit(service)
	if n := m.taken(service); !limited || n < limit || e.Seats != n {
		m.breaks("session %d is refused as %v with %d of %d seats taken, said to be %d", e.Session, e.Code, n, limit, e.Seats)
	}
	if total != (e.Code == domain.RejectFailed300) {
		m.breaks("session %d is refused as %v at a limit that is a protocol's total: %v", e.Session, e.Code, total)
	}
}

// checkVictims works out whom a login should log out, from every session there
// is, and compares.
func (m *model) checkVictims(records []domain.Record) {
	e, ok := records[0].Event.(*domain.LoginRequested)
	if !ok {
		return
	}
	var got []domain.SessionID
	full := false
	for _, r := range records[1:] {
		switch e := r.Event.(type) {
		case *domain.SessionIdledOut:
			got = append(got, e.Session)
		case *domain.LoginRejected:
			full = e.Code == domain.RejectServerBusy
		}
	}
	var want []domain.SessionID
	if full || len(got) > 0 {
		want = m.victims(e.Service)
	}
	if !slices.Equal(got, want) {
		m.breaks("login %d logs out %v, want %v", records[0].Position, got, want)
	}
}

func (m *model) victims(service domain.ServiceID) []domain.SessionID {
	settings := m.services[service].Settings
	timeout, set := settings.IdleTimeout.Get()
	var idle []domain.SessionID
	for id, s := range m.seats {
		if s.service == service && s.live && set && m.now.Sub(s.at) >= timeout {
			idle = append(idle, id)
		}
	}
	slices.SortFunc(idle, func(a, b domain.SessionID) int {
		return cmp.Or(m.seats[a].at.Compare(m.seats[b].at), cmp.Compare(a, b))
	})
	if settings.Evict == domain.EvictFewest {
		limit, _, _ := m.limit(service)
		needed := int(m.taken(service)) - int(limit) + 1
		if len(idle) < needed {
			return nil
		}
		idle = idle[:needed]
	}
	return idle
}
