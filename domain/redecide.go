package domain

import (
	"fmt"
	"reflect"
	"time"
)

// MismatchError tells that a record is not what the rules make of the log in
// front of it: the log was not written by these rules, or was changed.
type MismatchError struct {
	Position Position
	Recorded Event // nil where the log lacks an event
	Derived  Event // nil where the rules give none
	Problem  string
}

func (e *MismatchError) Error() string {
	text := fmt.Sprintf("position %d: the log has %s, the rules give %s", e.Position, eventText(e.Recorded), eventText(e.Derived))
	if e.Problem != "" {
		text += ": " + e.Problem
	}
	return text
}

func eventText(e Event) string {
	if e == nil {
		return "no event"
	}
	return fmt.Sprintf("%v %+v", e.Type(), reflect.ValueOf(e).Elem().Interface())
}

// Redecide derives one decision again and compares: l is folded from every
// record in front of it, with or without touches, and decision holds all of its
// records. A login's decision runs from login-requested to its login-admitted or
// login-rejected. It gives a *[MismatchError] at the first difference, and
// changes nothing.
//
// When devices had last been heard of is not in the log. The decision's own
// evidence stands for it, as far as the log does not disprove it: nobody in
// coverage can have been idle for longer than since the last record about them,
// and whoever is out of coverage exactly since then.
func Redecide(l *Ledger, decision []Record) error {
	for i, r := range decision {
		if want := l.next(i); r.Position != want {
			return &MismatchError{Position: want, Problem: fmt.Sprintf("the record in its place has position %d", r.Position)}
		}
	}
	if len(decision) == 0 {
		return &MismatchError{Position: l.next(0), Problem: "there is no record to check"}
	}
	derived, err := derive(l, decision)
	if err != nil {
		return &MismatchError{Position: decision[0].Position, Recorded: decision[0].Event, Problem: err.Error()}
	}
	return compare(decision, derived)
}

func compare(decision []Record, derived []Event) error {
	for i := range max(len(decision), len(derived)) {
		m := &MismatchError{Position: decision[0].Position + Position(i)}
		if i < len(decision) {
			m.Recorded = decision[i].Event
		}
		if i < len(derived) {
			m.Derived = derived[i]
		}
		if !reflect.DeepEqual(m.Recorded, m.Derived) {
			return m
		}
	}
	return nil
}

// Replay checks a log from its beginning, record by record. It is not safe for
// concurrent use.
type Replay struct {
	ledger *Ledger
	login  []Record // a login whose decision is not complete yet
	due    []Event  // what the rest of the decision under way must be
}

// NewReplay gives the replay of a log of which nothing has been checked.
func NewReplay() *Replay { return &Replay{ledger: NewLedger()} }

// Ledger gives the ledger as folded so far; it is for reading only.
func (r *Replay) Ledger() *Ledger { return r.ledger }

// Next checks the record that follows and folds it. After a *[MismatchError] the
// replay may go on with the next record: it takes the log's word.
func (r *Replay) Next(record Record) error {
	switch {
	case len(r.login) > 0:
		return r.nextOfLogin(record)
	case len(r.due) > 0:
		return r.nextDue(record)
	case record.Event.Type() == TypeLoginRequested:
		return r.nextOfLogin(record)
	}
	derived, err := derive(r.ledger, []Record{record})
	if err != nil {
		r.ledger.Apply(record)
		return &MismatchError{Position: record.Position, Recorded: record.Event, Problem: err.Error()}
	}
	r.due = derived
	return r.nextDue(record)
}

// End tells whether the log ends between two decisions.
func (r *Replay) End() error {
	missing := &MismatchError{Position: r.ledger.next(len(r.login)), Problem: "the log ends within a decision"}
	if len(r.due) > 0 {
		missing.Derived = r.due[0]
	} else if len(r.login) == 0 {
		return nil
	}
	return missing
}

// nextDue compares a record with what the decision under way gave for it.
func (r *Replay) nextDue(record Record) error {
	m := &MismatchError{Position: record.Position, Recorded: record.Event}
	if len(r.due) > 0 {
		m.Derived, r.due = r.due[0], r.due[1:]
	}
	if want := r.ledger.next(0); record.Position != want {
		m.Problem = fmt.Sprintf("position %d was to follow", want)
	}
	r.ledger.Apply(record)
	if m.Problem == "" && reflect.DeepEqual(m.Recorded, m.Derived) {
		return nil
	}
	r.due = nil
	return m
}

// nextOfLogin gathers a login's records up to the one that decides it.
func (r *Replay) nextOfLogin(record Record) error {
	r.login = append(r.login, record)
	switch record.Event.(type) {
	case *LoginRequested, *SessionEnded, *SessionIdledOut:
		if record.Position == r.login[0].Position+Position(len(r.login)-1) {
			return nil
		}
	}
	decision := r.login
	r.login = nil
	err := Redecide(r.ledger, decision)
	for _, d := range decision {
		r.ledger.Apply(d)
	}
	return err
}

// derive gives the events of the decision that begins with the first of
// records. Only a login needs the others: for their evidence.
func derive(l *Ledger, records []Record) ([]Event, error) {
	at := records[0].Time
	switch e := records[0].Event.(type) {
	case *LoginRequested:
		return deriveLogin(l, e, at, records[1:])
	case *CoverageLost:
		return deriveCoverageLost(l, e, at)
	case *SessionEnded:
		return deriveEnded(l, e, at)
	}
	command := commandFor(l, records[0])
	if command == nil {
		return nil, fmt.Errorf("no decision begins with %v", records[0].Event.Type())
	}
	return command.decide(l, at)
}

// commandFor gives the command whose events begin with r; nil if there is none.
func commandFor(l *Ledger, r Record) Command {
	switch e := r.Event.(type) {
	case *BrokerStarted:
		return StartBroker{Version: e.Version}
	case *BrokerStopped:
		return StopBroker{}
	case *ServiceConfigured:
		return ConfigureService{Name: e.Name, Settings: e.Settings, DefaultTotal: e.Total}
	case *ServiceRemoved:
		return RemoveService{Service: e.Service}
	case *PersonPermitted:
		return PermitPerson{Person: knownPerson(e.Person, r.Position), Service: e.Service}
	case *PersonBarred:
		return BarPerson{Person: e.Person, Account: e.Account}
	case *EnrolmentOffered:
		return OfferEnrolment{Person: knownPerson(e.Person, r.Position), ValidFor: e.ValidFor}
	case *DeviceEnrolled:
		return EnrolDevice{Offer: e.Offer}
	case *DeviceRevoked:
		return RevokeDevice{Device: e.Device}
	case *LoginAccepted:
		return AcceptLogin{Session: e.Session}
	case *LoginRejected:
		return RejectLogin{Session: e.Session, Code: e.Code}
	case *CoverageRegained:
		return RegainCoverage{Session: e.Session}
	case *SessionResumed:
		seat, _ := l.Seat(e.Session)
		return ResumeSession{Session: e.Session, Device: seat.Device, Fence: e.Fence}
	}
	return nil
}

// knownPerson gives id, or zero where the event at p begins the person.
func knownPerson(id PersonID, p Position) PersonID {
	if id == PersonID(p) {
		return 0
	}
	return id
}

func deriveCoverageLost(l *Ledger, e *CoverageLost, at time.Time) ([]Event, error) {
	events, err := LoseCoverage{Session: e.Session}.decide(l, at)
	if err != nil || len(events) == 0 {
		return events, err
	}
	if err := l.seats[e.Session].believes(e.Silent, at); err != nil {
		return nil, err
	}
	return []Event{&CoverageLost{Session: e.Session, Silent: e.Silent}}, nil
}

// deriveEnded takes the four causes that have a decision of their own; the
// others only come within other decisions.
func deriveEnded(l *Ledger, e *SessionEnded, at time.Time) ([]Event, error) {
	switch e.Cause {
	case EndSuperseded, EndDeviceRevoked, EndServiceRemoved, EndPersonBarred:
		return nil, fmt.Errorf("no decision begins with a session that is ended as %v", e.Cause)
	case EndInactive:
		return deriveInactive(l, e, at)
	}
	return EndSession{Session: e.Session, Cause: e.Cause}.decide(l, at)
}

func deriveInactive(l *Ledger, e *SessionEnded, at time.Time) ([]Event, error) {
	s, err := l.live(e.Session)
	if err != nil {
		return nil, err
	}
	idle, some := e.Idle.Get()
	timeout, set := s.service.settings.InactivityTimeout.Get()
	if !some || !set || idle < timeout {
		return nil, fmt.Errorf("idle for %v is not enough for an inactivity timeout of %v", e.Idle, s.service.settings.InactivityTimeout)
	}
	if err := s.believes(idle, at); err != nil {
		return nil, err
	}
	return []Event{&SessionEnded{Session: e.Session, Cause: EndInactive, Idle: e.Idle}}, nil
}

// believes gives an error if the log disproves that s had been idle for so long
// at the time at.
func (s *seat) believes(idle time.Duration, at time.Time) error {
	switch proven := s.idleFor(at); {
	case s.covered && (idle < 0 || idle > proven):
		return fmt.Errorf("session %d cannot have been idle for %v: its last record is %v old", s.id, idle, proven)
	case !s.covered && idle != proven:
		return fmt.Errorf("session %d, out of coverage, had been idle for %v, not %v", s.id, proven, idle)
	}
	return nil
}
