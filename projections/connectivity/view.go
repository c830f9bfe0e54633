package connectivity

import (
	"time"

	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/internal/seats"
)

// Session is what there is to know to take a session up again.
type Session struct {
	ID      domain.SessionID
	Device  domain.DeviceID
	Service domain.ServiceID
	Account domain.AccountID
	// Fence is the number of the latest recorded link; a new one has a higher.
	Fence uint32
	// Live tells a session from a login that is still under way.
	Live bool
	// Covered tells whether the device is in reach, and CoverageSince since
	// when it is, or is not.
	Covered       bool
	CoverageSince time.Time
	// Changed is the position of the last event about the session.
	Changed domain.Position
}

// View answers from the stored view. It is safe for concurrent use.
type View struct{ source projections.Source }

// In gives the view in a source.
func In(source projections.Source) View { return View{source} }

// Get gives one session; ok is false if it is over or never was.
func (v View) Get(id domain.SessionID) (s Session, ok bool, err error) {
	err = v.source.View(Name, func(snapshot projections.Snapshot) error {
		s, ok, err = get(snapshot, id)
		return err
	})
	return s, ok, err
}

// OfDevice gives the sessions of a device, at most one a service, by ascending
// id.
func (v View) OfDevice(id domain.DeviceID) (list []Session, err error) {
	err = v.source.View(Name, func(snapshot projections.Snapshot) error {
		ids, _, err := projections.GetRow[domain.DeviceID, []domain.SessionID](snapshot.Rows, deviceKind, id)
		for _, id := range ids {
			s, _, err := get(snapshot, id)
			if err != nil {
				return err
			}
			list = append(list, s)
		}
		return err
	})
	return list, err
}

// List gives every session by ascending id, and the position as of which.
func (v View) List() (list []Session, at domain.Position, err error) {
	err = v.source.View(Name, func(snapshot projections.Snapshot) error {
		at = snapshot.Position
		for id, row := range projections.Rows[domain.SessionID, seats.Seat](snapshot.Rows, seats.Kind) {
			if row.Err != nil {
				return row.Err
			}
			list = append(list, session(id, &row.Row))
		}
		return nil
	})
	return list, at, err
}

func get(snapshot projections.Snapshot, id domain.SessionID) (Session, bool, error) {
	row, ok, err := projections.GetRow[domain.SessionID, seats.Seat](snapshot.Rows, seats.Kind, id)
	if !ok {
		return Session{}, false, err
	}
	return session(id, &row), true, nil
}

func session(id domain.SessionID, s *seats.Seat) Session {
	return Session{
		ID: id, Device: s.Device, Service: s.Service, Account: s.Account,
		Fence: s.Fence, Live: s.Live, Covered: s.Covered, CoverageSince: s.Coverage, Changed: s.Changed,
	}
}
