package verify_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/eventstore/memlog"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// story decides commands, and keeps what follows.
type story struct {
	ledger  *domain.Ledger
	records []domain.Record
	now     time.Time
}

func newStory() *story { return &story{ledger: domain.NewLedger(), now: start} }

// do decides one command; it gives the position of its first event, or zero
// where it was refused.
func (s *story) do(c domain.Command) domain.Position {
	events, err := domain.Decide(s.ledger, c)
	first := s.ledger.Position() + 1
	if err != nil || len(events) == 0 {
		return 0
	}
	at := s.ledger.Stamp(s.now)
	for _, e := range events {
		r := domain.Record{Position: s.ledger.Position() + 1, Time: at, Event: e}
		s.ledger.Apply(r)
		s.records = append(s.records, r)
	}
	return first
}

// The positions of the plain story.
const (
	chat     = 2  // service-configured
	ann      = 3  // person-permitted, which begins the person
	anOffer  = 4  // enrolment-offered
	phone    = 5  // device-enrolled
	first    = 6  // login-requested, admitted, accepted
	lost     = 9  // coverage-lost
	second   = 10 // login-requested, session-ended, login-admitted, login-accepted
	lastOne  = 14 // session-ended
	plainEnd = 15 // broker-stopped
)

// plain is a small log with something of everything.
func plain() []domain.Record {
	s := newStory()
	s.do(domain.StartBroker{At: s.now, Version: "v1"})
	s.do(domain.ConfigureService{At: s.now, Name: "chat", Settings: domain.Settings{Kind: domain.KindLocal, MaxSessions: domain.Some[uint32](2)}})
	s.do(domain.OfferEnrolment{At: s.now, Permit: []domain.ServiceID{chat}, ValidFor: time.Hour})
	s.do(domain.EnrolDevice{At: s.now, Offer: anOffer})
	s.do(domain.RequestLogin{At: s.now, Device: phone, Service: chat, Account: ann})
	s.do(domain.AcceptLogin{At: s.now, Session: first})
	s.now = s.now.Add(time.Minute)
	s.do(domain.LoseCoverage{At: s.now, Session: first})
	s.do(domain.RequestLogin{At: s.now, Device: phone, Service: chat, Account: ann})
	s.do(domain.AcceptLogin{At: s.now, Session: second})
	s.do(domain.EndSession{At: s.now, Session: second, Cause: domain.EndLogout})
	s.do(domain.StopBroker{At: s.now})
	return s.records
}

func side(p domain.Position, kind domain.SideKind, value string) domain.Side {
	return domain.Side{SideKey: domain.SideKey{Position: p, Kind: kind}, Value: []byte(value)}
}

const key = "0123456789abcdef0123456789abcdef"

func plainSides() []domain.Side {
	return []domain.Side{
		side(ann, domain.SidePersonName, "ann"), side(ann, domain.SideAccountName, "ann@chat"),
		side(anOffer, domain.SideOfferSecret, key),
		side(phone, domain.SideDeviceLabel, "phone"), side(phone, domain.SideDeviceKey, key),
		side(first, domain.SideAddress, "192.0.2.1"),
		side(second, domain.SideAccountName, "somebody"), side(second, domain.SideCredentials, "sealed"),
		side(second, domain.SideServiceName, "elsewhere"), side(second, domain.SideUpstreamText, "no"),
	}
}

// keep puts records and side records into a log in memory.
func keep(t testing.TB, records []domain.Record, sides []domain.Side) *memlog.Log {
	t.Helper()
	log := memlog.New()
	t.Cleanup(func() { _ = log.Close() })
	if _, err := log.Append(t.Context(), 0, domain.Batch{Records: records, Sides: sides}); err != nil {
		t.Fatal(err)
	}
	return log
}

// faulty is a log that gives what it is told to, and errors in place of records.
type faulty struct {
	records []domain.Record
	last    domain.Position // as it tells
	faults  func(domain.Position) error
	sides   []domain.Side
	bad     func(domain.SideKey) error
}

func newFaulty(records []domain.Record) *faulty {
	return &faulty{
		records: records, last: domain.Position(len(records)),
		faults: func(domain.Position) error { return nil }, bad: func(domain.SideKey) error { return nil },
	}
}

func (f *faulty) Last() domain.Position { return f.last }

func (f *faulty) Read(_ context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	return func(yield func(domain.Record, error) bool) {
		if from < 1 || int(from) > len(f.records) {
			if err := f.faults(from); err != nil {
				yield(domain.Record{}, err)
			}
			return
		}
		for i, r := range f.records[from-1:] {
			if err := f.faults(from + domain.Position(i)); err != nil {
				yield(domain.Record{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (f *faulty) Side(_ context.Context, k domain.SideKey) ([]byte, bool, error) {
	if err := f.bad(k); err != nil {
		return nil, false, err
	}
	i := slices.IndexFunc(f.sides, func(s domain.Side) bool { return s.SideKey == k })
	if i < 0 {
		return nil, false, nil
	}
	return f.sides[i].Value, true, nil
}

func (f *faulty) Sides(context.Context) iter.Seq2[domain.Side, error] {
	return func(yield func(domain.Side, error) bool) {
		for _, s := range f.sides {
			if err := f.bad(s.SideKey); err != nil {
				yield(domain.Side{}, err)
				return
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// draw draws a log as the domain makes it.
func draw(t *rapid.T) []domain.Record {
	s := newStory()
	for range 2 {
		s.do(s.configure(t))
	}
	for range 3 {
		s.do(domain.OfferEnrolment{At: s.now, Permit: ids(s.ledger.State().Services), ValidFor: time.Hour})
		s.do(domain.EnrolDevice{At: s.now, Offer: domain.OfferID(s.ledger.Position())})
	}
	for range rapid.IntRange(0, 120).Draw(t, "commands") {
		s.now = s.now.Add(time.Duration(rapid.IntRange(-500, 40_000).Draw(t, "ms")) * time.Millisecond)
		s.do(s.command(t))
	}
	return s.records
}

// command draws a command about things that are there, mostly.
func (s *story) command(t *rapid.T) domain.Command {
	state := s.ledger.State()
	session := pick(t, state.Seats, func(x domain.Seat) domain.SessionID { return x.Session })
	service := pick(t, state.Services, func(x domain.Service) domain.ServiceID { return x.ID })
	account := pick(t, state.Accounts, func(x domain.Account) domain.AccountID { return x.ID })
	device := pick(t, state.Devices, func(x domain.Device) domain.DeviceID { return x.ID })
	commands := []domain.Command{
		domain.RequestLogin{At: s.now, Device: device, Service: service, Account: account},
		s.permitted(state, account),
		s.permitted(state, account),
		s.permitted(state, account),
		domain.AcceptLogin{At: s.now, Session: session},
		domain.AcceptLogin{At: s.now, Session: session},
		domain.AcceptLogin{At: s.now, Session: session},
		domain.RejectLogin{At: s.now, Session: session, Code: domain.RejectBadCredentials},
		domain.LoseCoverage{At: s.now, Session: session},
		domain.RegainCoverage{At: s.now, Session: session},
		domain.ResumeSession{At: s.now, Session: session, Device: device, Fence: 9},
		domain.EndSession{At: s.now, Session: session, Cause: domain.EndLogout},
		s.configure(t),
		domain.OfferEnrolment{At: s.now, Permit: ids(state.Services), ValidFor: time.Minute},
		domain.EnrolDevice{At: s.now, Offer: pick(t, state.Offers, func(x domain.Offer) domain.OfferID { return x.ID })},
		domain.EnrolDevice{At: s.now, Offer: pick(t, state.Offers, func(x domain.Offer) domain.OfferID { return x.ID })},
		domain.PermitPerson{At: s.now, Person: pick(t, state.People, func(x domain.PersonID) domain.PersonID { return x }), Service: service},
		domain.StartBroker{At: s.now, Version: "v1"},
		domain.ExpireInactive{At: s.now},
		domain.StopBroker{At: s.now},
	}
	rare := []domain.Command{
		domain.RevokeDevice{At: s.now, Device: device},
		domain.BarPerson{At: s.now, Person: pick(t, state.People, func(x domain.PersonID) domain.PersonID { return x }), Account: account},
		domain.RemoveService{At: s.now, Service: service},
	}
	if rapid.IntRange(0, 30).Draw(t, "rare") == 7 {
		commands = rare
	}
	return rapid.SampledFrom(commands).Draw(t, "command")
}

// permitted is a login with an account by a device of the person's who may use it.
func (s *story) permitted(state domain.State, account domain.AccountID) domain.Command {
	c := domain.RequestLogin{At: s.now, Account: account}
	a, _ := s.ledger.Account(account)
	c.Service = a.Service
	for _, d := range state.Devices {
		if d.Person == a.Person && !d.Revoked {
			c.Device = d.ID
		}
	}
	return c
}

func (s *story) configure(t *rapid.T) domain.Command {
	return domain.ConfigureService{At: s.now, Name: rapid.SampledFrom([]domain.ServiceName{"a", "b"}).Draw(t, "name"), Settings: domain.Settings{
		Kind: domain.KindLocal, MaxSessions: domain.Some(rapid.Uint32Range(1, 2).Draw(t, "max")),
		IdleTimeout: domain.Some(10 * time.Second), InactivityTimeout: domain.Some(3 * time.Minute),
	}}
}

func pick[T any, ID ~uint64](t *rapid.T, of []T, id func(T) ID) ID {
	if len(of) == 0 {
		return 0
	}
	return id(rapid.SampledFrom(of).Draw(t, "pick"))
}

func ids(services []domain.Service) (found []domain.ServiceID) {
	for _, s := range services {
		found = append(found, s.ID)
	}
	return found
}
