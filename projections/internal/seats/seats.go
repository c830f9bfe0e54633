package seats

import (
	"time"

	"rollcall/domain"
	"rollcall/projections"
)

// Kind is the kind of the rows that hold seats.
const Kind = "session"

// State is where a seat stands.
type State uint8

// The states of a seat. None is before the first and after the last.
const (
	None State = iota
	Pending
	Covered
	OutOfCoverage
)

// Seat is a seat as it is stored.
type Seat struct {
	Device  domain.DeviceID  `json:"device"`
	Service domain.ServiceID `json:"service"`
	Account domain.AccountID `json:"account"`
	Live    bool             `json:"live"`
	Covered bool             `json:"covered"`
	Fence   uint32           `json:"fence"`
	// Since is when the seat was taken.
	Since time.Time `json:"since"`
	// Coverage is since when the device has been in reach or out of it.
	Coverage time.Time `json:"coverage"`
	// Changed is the position of the last event about the seat.
	Changed domain.Position `json:"changed"`
}

// State tells where the seat stands.
func (s *Seat) State() State {
	switch {
	case !s.Live:
		return Pending
	case s.Covered:
		return Covered
	}
	return OutOfCoverage
}

// Fold folds seats. Moved, if set, is told of every seat that changes its state.
type Fold struct {
	Moved func(id domain.SessionID, s *Seat, from, to State)

	projections.Parts
	seats *projections.Table[domain.SessionID, Seat]
	asked *projections.Cell[asked]
}

// asked is the login that was asked for last, until it is answered.
type asked struct {
	Session domain.SessionID `json:"session"`
	Device  domain.DeviceID  `json:"device"`
	Service domain.ServiceID `json:"service"`
	Account domain.AccountID `json:"account"`
}

// New gives the fold of an empty log.
func New() *Fold {
	f := &Fold{
		seats: projections.NewTable[domain.SessionID, Seat](Kind),
		asked: projections.NewCell[asked]("asked"),
	}
	f.Parts = projections.Parts{f.asked, f.seats}
	return f
}

// Seats gives the rows, to look at.
func (f *Fold) Seats() *projections.Table[domain.SessionID, Seat] { return f.seats }

// Apply folds in a record and tells whether its event is one about seats.
func (f *Fold) Apply(r domain.Record) bool {
	switch e := r.Event.(type) {
	case *domain.LoginRequested:
		f.asked.Value = asked{domain.SessionID(r.Position), e.Device, e.Service, e.Account}
	case *domain.LoginAdmitted:
		f.admit(e.Session, r)
	case *domain.LoginAccepted:
		f.accept(e.Session, r)
	case *domain.LoginRejected:
		f.asked.Clear()
		f.free(e.Session)
	case *domain.CoverageLost:
		f.cover(e.Session, false, r, r.Time.Add(-e.Silent))
	case *domain.CoverageRegained:
		f.cover(e.Session, true, r, r.Time)
	case *domain.SessionResumed:
		f.resume(e, r)
	case *domain.SessionIdledOut:
		f.free(e.Session)
	case *domain.SessionEnded:
		f.free(e.Session)
	case *domain.BrokerStarted:
		f.restart(r)
	default:
		return false
	}
	return true
}

func (f *Fold) admit(id domain.SessionID, r domain.Record) {
	a := f.asked.Value
	f.asked.Clear()
	if a.Session != id {
		return
	}
	s := f.seats.Add(id)
	*s = Seat{
		Device: a.Device, Service: a.Service, Account: a.Account,
		Covered: true, Since: r.Time, Coverage: r.Time, Changed: r.Position,
	}
	f.moved(id, s, None, Pending)
}

// accept makes the session live, on the link that logged in, which is in reach.
func (f *Fold) accept(id domain.SessionID, r domain.Record) {
	s := f.seats.Get(id)
	if s == nil || s.Live {
		return
	}
	s = f.seats.Change(id)
	if !s.Covered {
		s.Covered, s.Coverage = true, r.Time
	}
	s.Live, s.Fence, s.Changed = true, 1, r.Position
	f.moved(id, s, Pending, Covered)
}

// cover notes that the device of a live session is in reach or out of it since a
// time. A device that was so before is so since then.
func (f *Fold) cover(id domain.SessionID, covered bool, r domain.Record, since time.Time) {
	if s := f.seats.Get(id); s != nil && s.Live {
		f.setCovered(id, covered, r, since)
	}
}

func (f *Fold) setCovered(id domain.SessionID, covered bool, r domain.Record, since time.Time) {
	s := f.seats.Change(id)
	s.Changed = r.Position
	if s.Covered == covered {
		return
	}
	from := s.State()
	s.Covered, s.Coverage = covered, since
	f.moved(id, s, from, s.State())
}

func (f *Fold) resume(e *domain.SessionResumed, r domain.Record) {
	if s := f.seats.Get(e.Session); s != nil && s.Live {
		s.Fence = max(s.Fence, e.Fence)
		f.setCovered(e.Session, true, r, r.Time)
	}
}

// restart puts every device out of reach, as the start of a broker does.
func (f *Fold) restart(r domain.Record) {
	for id := range f.seats.All() {
		f.setCovered(id, false, r, r.Time)
	}
}

func (f *Fold) free(id domain.SessionID) {
	s := f.seats.Get(id)
	if s == nil {
		return
	}
	from := s.State()
	f.moved(id, s, from, None)
	f.seats.Delete(id)
}

func (f *Fold) moved(id domain.SessionID, s *Seat, from, to State) {
	if f.Moved != nil && from != to {
		f.Moved(id, s, from, to)
	}
}
