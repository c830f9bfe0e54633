package sessions

import (
	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/internal/seats"
)

// Name is the projection's name.
const Name = "sessions"

// Projection makes the view.
func Projection() projections.Projection {
	return projections.Projection{Name: Name, Version: 1, New: func() projections.Fold { return newFold() }}
}

// The kinds of rows besides seats.
const (
	countKind  = "count"
	deviceKind = "device"
)

type device struct {
	Person domain.PersonID `json:"person"`
}

type fold struct {
	projections.Parts
	seats   *seats.Fold
	counts  *projections.Table[domain.ServiceID, Counts]
	devices *projections.Table[domain.DeviceID, device]
}

func newFold() *fold {
	f := &fold{
		seats:   seats.New(),
		counts:  projections.NewTable[domain.ServiceID, Counts](countKind),
		devices: projections.NewTable[domain.DeviceID, device](deviceKind),
	}
	f.seats.Moved = f.count
	f.Parts = projections.Parts{f.counts, f.devices, f.seats}
	return f
}

func (f *fold) Apply(r domain.Record) error {
	if f.seats.Apply(r) {
		return nil
	}
	switch e := r.Event.(type) {
	case *domain.DeviceEnrolled:
		f.devices.Add(domain.DeviceID(r.Position)).Person = e.Person
	case *domain.BrokerStopped, *domain.ServiceConfigured, *domain.ServiceRemoved,
		*domain.PersonPermitted, *domain.PersonBarred, *domain.EnrolmentOffered, *domain.DeviceRevoked:
	default:
		return projections.UnknownEvent(r)
	}
	return nil
}

// count moves a seat from one state's count to another's.
func (f *fold) count(_ domain.SessionID, s *seats.Seat, from, to seats.State) {
	c := f.counts.Change(s.Service)
	if c == nil {
		c = f.counts.Add(s.Service)
	}
	c.add(from, -1)
	c.add(to, +1)
	if *c == (Counts{}) {
		f.counts.Delete(s.Service)
	}
}

// Counts are the seats of a service by state.
type Counts struct {
	Pending       int `json:"pending"`
	Covered       int `json:"covered"`
	OutOfCoverage int `json:"out_of_coverage"`
}

// Seats gives the seats taken, pending logins included.
func (c Counts) Seats() int { return c.Pending + c.Covered + c.OutOfCoverage }

func (c *Counts) add(s seats.State, n int) {
	switch s {
	case seats.Pending:
		c.Pending += n
	case seats.Covered:
		c.Covered += n
	case seats.OutOfCoverage:
		c.OutOfCoverage += n
	}
}
