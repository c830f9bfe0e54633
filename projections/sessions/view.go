package sessions

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/internal/seats"
)

// State is where a session stands.
type State uint8

// The states of a session.
const (
	Pending       State = State(seats.Pending)       // the upstream login is under way
	Covered       State = State(seats.Covered)       // live, the device in reach
	OutOfCoverage State = State(seats.OutOfCoverage) // live, the device out of reach
)

var stateNames = [...]string{Pending: "pending", Covered: "covered", OutOfCoverage: "out-of-coverage"}

// String gives the printed name, such as "out-of-coverage".
func (s State) String() string {
	if int(s) < len(stateNames) && stateNames[s] != "" {
		return stateNames[s]
	}
	return fmt.Sprintf("state-%d", uint8(s))
}

// MarshalText gives the printed name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Session is a live session or a pending login.
type Session struct {
	ID      domain.SessionID
	Device  domain.DeviceID
	Person  domain.PersonID
	Account domain.AccountID
	Service domain.ServiceID
	// Since is when the seat was taken.
	Since time.Time
	State State
	// CoverageSince is since when the device has been in reach, or out of it.
	CoverageSince time.Time
}

// View answers from the stored view. It is safe for concurrent use.
type View struct{ source projections.Source }

// In gives the view in a source.
func In(source projections.Source) View { return View{source} }

// List gives every session by ascending id, and the position as of which.
func (v View) List() (list []Session, at domain.Position, err error) {
	err = v.source.View(Name, func(s projections.Snapshot) error {
		at = s.Position
		for id, row := range projections.Rows[domain.SessionID, seats.Seat](s.Rows, seats.Kind) {
			if row.Err != nil {
				return row.Err
			}
			person, err := owner(s.Rows, row.Row.Device)
			if err != nil {
				return err
			}
			list = append(list, session(id, &row.Row, person))
		}
		return nil
	})
	return list, at, err
}

// Get gives one session; ok is false if it is not among the live ones.
func (v View) Get(id domain.SessionID) (found Session, ok bool, err error) {
	err = v.source.View(Name, func(s projections.Snapshot) error {
		row, there, err := projections.GetRow[domain.SessionID, seats.Seat](s.Rows, seats.Kind, id)
		if err != nil || !there {
			return err
		}
		person, err := owner(s.Rows, row.Device)
		found, ok = session(id, &row, person), true
		return err
	})
	return found, ok, err
}

// Counts gives the seats by service and state, and the position as of which. A
// service without a seat is not in it.
func (v View) Counts() (counts map[domain.ServiceID]Counts, at domain.Position, err error) {
	counts = make(map[domain.ServiceID]Counts)
	err = v.source.View(Name, func(s projections.Snapshot) error {
		at = s.Position
		for id, row := range projections.Rows[domain.ServiceID, Counts](s.Rows, countKind) {
			if row.Err != nil {
				return row.Err
			}
			counts[id] = row.Row
		}
		return nil
	})
	return counts, at, err
}

func owner(rows *bbolt.Bucket, id domain.DeviceID) (domain.PersonID, error) {
	d, _, err := projections.GetRow[domain.DeviceID, device](rows, deviceKind, id)
	return d.Person, err
}

func session(id domain.SessionID, s *seats.Seat, person domain.PersonID) Session {
	return Session{
		ID: id, Device: s.Device, Person: person, Account: s.Account, Service: s.Service,
		Since: s.Since, State: State(s.State()), CoverageSince: s.Coverage,
	}
}
