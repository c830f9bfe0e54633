package usage

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/projections"
)

// Name is the projection's name.
const Name = "usage"

const (
	minuteKind = "minute"
	seatKind   = "seats"
	nowKind    = "now"
)

// Projection makes the view.
func Projection() projections.Projection {
	return projections.Projection{Name: Name, Version: 1, New: func() projections.Fold { return newFold() }}
}

// Counts are what happened on a service in one minute.
type Counts struct {
	// SeatsMax and SeatsLast are the most seats taken at once, and those at the
	// end of the minute, pending logins included.
	SeatsMax  uint32 `json:"seats_max"`
	SeatsLast uint32 `json:"seats_last"`
	Accepted  uint32 `json:"accepted"`
	// Busy and Failed300 are the logins refused with server-busy and
	// failed-300; Rejected those refused for any other reason.
	Busy      uint32 `json:"busy"`
	Failed300 uint32 `json:"failed_300"`
	Rejected  uint32 `json:"rejected"`
	// IdledOut are the sessions logged out to make room.
	IdledOut uint32 `json:"idled_out"`
}

// current is a service's minute that is still counted.
type current struct {
	Begin  time.Time `json:"begin"`
	Counts Counts    `json:"counts"`
}

type asked struct {
	Session domain.SessionID `json:"session"`
	Service domain.ServiceID `json:"service"`
}

// fold keeps in memory the seats taken and one minute for each service; minutes
// that are over wait only to be saved.
type fold struct {
	projections.Parts
	asked *projections.Cell[asked]
	seats *projections.Table[domain.SessionID, domain.ServiceID]
	now   *projections.Table[domain.ServiceID, current]
	past  past
}

func newFold() *fold {
	f := &fold{
		asked: projections.NewCell[asked]("asked"),
		seats: projections.NewTable[domain.SessionID, domain.ServiceID](seatKind),
		now:   projections.NewTable[domain.ServiceID, current](nowKind),
	}
	f.Parts = projections.Parts{f.asked, &f.past, f.now, f.seats} // in the order of their keys, see Table.Save
	return f
}

func (f *fold) Apply(r domain.Record) error {
	switch e := r.Event.(type) {
	case *domain.LoginRequested:
		f.asked.Value = asked{domain.SessionID(r.Position), e.Service}
	case *domain.LoginAdmitted:
		f.admit(e.Session, r.Time)
	case *domain.LoginAccepted:
		if service := f.seats.Get(e.Session); service != nil {
			f.minute(*service, r.Time).Accepted++
		}
	case *domain.LoginRejected:
		f.reject(e, r.Time)
	case *domain.SessionIdledOut:
		if c := f.free(e.Session, r.Time); c != nil {
			c.IdledOut++
		}
	case *domain.SessionEnded:
		f.free(e.Session, r.Time)
	case *domain.BrokerStarted, *domain.BrokerStopped, *domain.ServiceConfigured, *domain.ServiceRemoved,
		*domain.PersonPermitted, *domain.PersonBarred,
		*domain.EnrolmentOffered, *domain.DeviceEnrolled, *domain.DeviceRevoked,
		*domain.CoverageLost, *domain.CoverageRegained, *domain.SessionResumed:
	default:
		return projections.UnknownEvent(r)
	}
	return nil
}

func (f *fold) admit(id domain.SessionID, at time.Time) {
	a := f.asked.Value
	f.asked.Clear()
	if a.Session != id {
		return
	}
	*f.seats.Add(id) = a.Service
	c := f.minute(a.Service, at)
	c.SeatsLast++
	c.SeatsMax = max(c.SeatsMax, c.SeatsLast)
}

// reject counts a refused login, before it had a seat or after.
func (f *fold) reject(e *domain.LoginRejected, at time.Time) {
	a := f.asked.Value
	f.asked.Clear()
	c := f.free(e.Session, at)
	if c == nil {
		c = f.minute(a.Service, at)
	}
	switch e.Code {
	case domain.RejectServerBusy:
		c.Busy++
	case domain.RejectFailed300:
		c.Failed300++
	default:
		c.Rejected++
	}
}

// free gives a seat back, and the minute of its service; nil if there is no
// such seat.
func (f *fold) free(id domain.SessionID, at time.Time) *Counts {
	service := f.seats.Get(id)
	if service == nil {
		return nil
	}
	c := f.minute(*service, at)
	f.seats.Delete(id)
	c.SeatsLast--
	return c
}

// minute gives the counts of a service's minute, to change until the next call.
func (f *fold) minute(service domain.ServiceID, at time.Time) *Counts {
	begin := at.Truncate(time.Minute)
	c := f.now.Change(service)
	switch {
	case c == nil:
		c = f.now.Add(service)
		c.Begin = begin
	case !c.Begin.Equal(begin):
		f.past = append(f.past, Minute{c.Begin, service, c.Counts})
		seats := c.Counts.SeatsLast
		*c = current{Begin: begin, Counts: Counts{SeatsMax: seats, SeatsLast: seats}}
	}
	return &c.Counts
}

// past is the minutes that are over and not yet saved. They are not needed for
// folding, so Load leaves them in the file.
type past []Minute

func (*past) Load(*bbolt.Bucket) error { return nil }

func (p *past) Save(view *bbolt.Bucket) error {
	for _, m := range *p {
		value, err := json.Marshal(m.Counts)
		if err != nil {
			return err
		}
		if err := view.Put(minuteKey(m.Begin, m.Service), value); err != nil {
			return err
		}
	}
	*p = (*p)[:0]
	return nil
}

// minuteKey gives the key of a minute: its time and its service, so that the
// order of the keys is that of time.
func minuteKey(begin time.Time, service domain.ServiceID) []byte {
	return projections.RowKey(minuteKind+"/"+begin.UTC().Format(time.RFC3339), service)
}
