package domain

import (
	"maps"
	"time"
)

// PersonPermitted tells that a person may use one account on a service. Its
// position is the [AccountID]; the account's name is a side record under it. It
// begins the person where Person is its own position.
type PersonPermitted struct {
	Person  PersonID
	Service ServiceID
}

// PersonBarred takes permissions away: one account, or all that the person had
// where Account is zero.
type PersonBarred struct {
	Person  PersonID
	Account AccountID
}

// PermitPerson permits one more account on a service, to a new person where
// Person is zero.
type PermitPerson struct {
	At      time.Time
	Person  PersonID
	Service ServiceID
}

// BarPerson takes one account from a person, or all of them where Account is
// zero, and ends the sessions that use them.
type BarPerson struct {
	At      time.Time
	Person  PersonID
	Account AccountID
}

// Type gives TypePersonPermitted.
func (*PersonPermitted) Type() EventType { return TypePersonPermitted }

// Type gives TypePersonBarred.
func (*PersonBarred) Type() EventType { return TypePersonBarred }

func (c PermitPerson) decide(l *Ledger, _ time.Time) ([]Event, error) {
	person, err := l.personOrNew(c.Person, 0)
	if err != nil {
		return nil, err
	}
	if l.services[c.Service] == nil {
		return nil, ErrUnknownService
	}
	return []Event{&PersonPermitted{Person: person, Service: c.Service}}, nil
}

func (c BarPerson) decide(l *Ledger, _ time.Time) ([]Event, error) {
	if !l.people[c.Person] {
		return nil, ErrUnknownPerson
	}
	if c.Account != 0 {
		if a, ok := l.accounts[c.Account]; !ok || a.Person != c.Person {
			return nil, ErrUnknownAccount
		}
	}
	ended := l.endWhere(EndPersonBarred, func(s *seat) bool {
		return s.account == c.Account || c.Account == 0 && s.device.person == c.Person
	})
	return append([]Event{&PersonBarred{Person: c.Person, Account: c.Account}}, ended...), nil
}

func (c PermitPerson) when() time.Time { return c.At }
func (c BarPerson) when() time.Time    { return c.At }

// personOrNew gives id, or, where it is zero, the person whom the event that is
// index places into this decision begins.
func (l *Ledger) personOrNew(id PersonID, index int) (PersonID, error) {
	if id == 0 {
		return PersonID(l.next(index)), nil
	}
	if !l.people[id] {
		return 0, ErrUnknownPerson
	}
	return id, nil
}

// begin notes that an event at p is about a person, whom it begins where the
// person is named by p itself; false if there is no such person.
func (l *Ledger) begin(id PersonID, p Position) bool {
	if id == PersonID(p) {
		l.people[id] = true
	}
	return l.people[id]
}

func (e *PersonPermitted) apply(l *Ledger, p Position, _ time.Time) {
	if !l.begin(e.Person, p) || l.services[e.Service] == nil {
		return
	}
	l.accounts[AccountID(p)] = Account{ID: AccountID(p), Person: e.Person, Service: e.Service}
}

func (e *PersonBarred) apply(l *Ledger, _ Position, _ time.Time) {
	if e.Account == 0 {
		maps.DeleteFunc(l.accounts, func(_ AccountID, a Account) bool { return a.Person == e.Person })
	} else if l.accounts[e.Account].Person == e.Person {
		delete(l.accounts, e.Account)
	}
}
