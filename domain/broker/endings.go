package broker

import (
	"slices"

	"rollcall/domain"
)

// keptEndings is how many ended sessions are remembered, so that a device that
// comes back late can be told what became of its session.
const keptEndings = 16384

// ending is how a session ended.
type ending struct {
	session  domain.SessionID
	device   domain.DeviceID
	cause    domain.EndCause
	idledOut bool
}

// endings are the latest ones, a ring. Each ended session of a log is noted when
// that is read, and hardly any is ever asked for: so they are searched, not
// indexed.
type endings struct {
	latest []ending
	next   int // once it is full
}

// note keeps the ending of a session that still has its seat in l.
func (e *endings) note(l *domain.Ledger, end ending) {
	seat, ok := l.Seat(end.session)
	if !ok {
		return
	}
	end.device = seat.Device
	if len(e.latest) < keptEndings {
		e.latest = append(e.latest, end)
		return
	}
	e.latest[e.next] = end
	e.next = (e.next + 1) % keptEndings
}

// find gives the ending of a session of that device.
func (e *endings) find(id domain.SessionID, device domain.DeviceID) (ending, bool) {
	i := slices.IndexFunc(e.latest, func(end ending) bool { return end.session == id && end.device == device })
	if i < 0 {
		return ending{}, false
	}
	return e.latest[i], true
}
