package connectivity

import (
	"slices"

	"rollcall/domain"
	"rollcall/projections"
	"rollcall/projections/internal/seats"
)

// Name is the projection's name.
const Name = "connectivity"

// deviceKind is the kind of the rows that tell a device's sessions.
const deviceKind = "device"

// Projection makes the view.
func Projection() projections.Projection {
	return projections.Projection{Name: Name, Version: 1, New: func() projections.Fold { return newFold() }}
}

type fold struct {
	projections.Parts
	seats   *seats.Fold
	devices *projections.Table[domain.DeviceID, []domain.SessionID]
}

func newFold() *fold {
	f := &fold{
		seats:   seats.New(),
		devices: projections.NewTable[domain.DeviceID, []domain.SessionID](deviceKind),
	}
	f.seats.Moved = f.index
	f.Parts = projections.Parts{f.devices, f.seats}
	return f
}

func (f *fold) Apply(r domain.Record) error {
	if f.seats.Apply(r) {
		return nil
	}
	switch r.Event.(type) {
	case *domain.BrokerStopped, *domain.ServiceConfigured, *domain.ServiceRemoved,
		*domain.PersonPermitted, *domain.PersonBarred,
		*domain.EnrolmentOffered, *domain.DeviceEnrolled, *domain.DeviceRevoked:
		return nil
	}
	return projections.UnknownEvent(r)
}

// index keeps a device's sessions. Ids only rise, so that a new one goes to the
// end.
func (f *fold) index(id domain.SessionID, s *seats.Seat, from, to seats.State) {
	switch {
	case from == seats.None:
		list := f.devices.Change(s.Device)
		if list == nil {
			list = f.devices.Add(s.Device)
		}
		*list = append(*list, id)
	case to == seats.None:
		f.drop(id, s.Device)
	}
}

func (f *fold) drop(id domain.SessionID, device domain.DeviceID) {
	list := f.devices.Change(device)
	if list == nil {
		return
	}
	*list = slices.DeleteFunc(*list, func(other domain.SessionID) bool { return other == id })
	if len(*list) == 0 {
		f.devices.Delete(device)
	}
}
