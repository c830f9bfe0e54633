package broker

import "rollcall/domain"

// keptEndings is how many ended sessions are remembered, so that a device that
// comes back late can be told what became of its session.
const keptEndings = 16384

// ending is how a session ended.
type ending struct {
	device   domain.DeviceID
	cause    domain.EndCause
	idledOut bool
}

// endings are the latest ones; the oldest gives way.
type endings struct {
	byID  map[domain.SessionID]ending
	order []domain.SessionID // a ring
	next  int
}

func newEndings() endings { return endings{byID: make(map[domain.SessionID]ending)} }

// note keeps the ending of a session that still has its seat in l.
func (e *endings) note(l *domain.Ledger, id domain.SessionID, end ending) {
	seat, ok := l.Seat(id)
	if !ok {
		return
	}
	end.device = seat.Device
	if len(e.order) < keptEndings {
		e.order = append(e.order, id)
	} else {
		delete(e.byID, e.order[e.next])
		e.order[e.next] = id
		e.next = (e.next + 1) % keptEndings
	}
	e.byID[id] = end
}
