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
	account  domain.AccountID
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

// follow follows an event that is about to be folded into l.
func (e *endings) follow(l *domain.Ledger, event domain.Event) {
	switch event := event.(type) {
	case *domain.SessionEnded:
		e.note(l, ending{session: event.Session, cause: event.Cause})
	case *domain.SessionIdledOut:
		e.note(l, ending{session: event.Session, idledOut: true})
	}
}

// note keeps the ending of a session that still has its seat in l.
func (e *endings) note(l *domain.Ledger, end ending) {
	seat, ok := l.Seat(end.session)
	if !ok {
		return
	}
	end.device, end.account = seat.Device, seat.Account
	if len(e.latest) < keptEndings {
		e.latest = append(e.latest, end)
		return
	}
	e.latest[e.next] = end
	e.next = (e.next + 1) % keptEndings
}

// isLatest tells that no session of that device and account has ended after end.
func (e *endings) isLatest(end ending) bool {
	return !slices.ContainsFunc(e.latest, func(other ending) bool {
		return other.device == end.device && other.account == end.account && other.session > end.session
	})
}

// find gives the ending of a session of that device.
func (e *endings) find(id domain.SessionID, device domain.DeviceID) (ending, bool) {
	i := slices.IndexFunc(e.latest, func(end ending) bool { return end.session == id && end.device == device })
	if i < 0 {
		return ending{}, false
	}
	return e.latest[i], true
}

// Ended is how a session of a device ended.
type Ended struct {
	Session domain.SessionID
	Device  domain.DeviceID
	Account domain.AccountID
	// Cause is zero where the session was logged out to make room.
	Cause    domain.EndCause
	IdledOut bool
}

// view gives all there are, the oldest first.
func (e *endings) view() []Ended {
	all := make([]Ended, 0, len(e.latest))
	for i := range e.latest {
		end := e.latest[(e.next+i)%len(e.latest)]
		all = append(all, Ended{Session: end.session, Device: end.device, Account: end.account, Cause: end.cause, IdledOut: end.idledOut})
	}
	return all
}

// restore is the reverse of view.
func (e *endings) restore(all []Ended) {
	all = all[max(0, len(all)-keptEndings):]
	*e = endings{latest: make([]ending, 0, len(all))}
	for _, end := range all {
		e.latest = append(e.latest, ending{session: end.Session, device: end.Device, account: end.Account, cause: end.Cause, idledOut: end.IdledOut})
	}
}
