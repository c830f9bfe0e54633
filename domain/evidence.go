package domain

import (
	"errors"
	"fmt"
	"time"
)

// evidence is what the events of a login's decision say of who was idle. It
// answers an admission in the ledger's stead, and notes where the ledger
// disproves it.
type evidence struct {
	ledger  *Ledger
	service ServiceID
	at      time.Time
	named   []*SessionIdledOut
	longest Optional[time.Duration] // of those who stayed
	unnamed uint32                  // how many of them are as idle as that, at least
	// unqueued: the login was refused by a rule without a queue.
	unqueued bool
	given    int
	last     idler
	fault    error
}

// deriveLogin decides a login again. rest are its records behind e.
func deriveLogin(l *Ledger, e *LoginRequested, at time.Time, rest []Record) ([]Event, error) {
	a, err := newAdmission(l, RequestLogin{Device: e.Device, Service: e.Service, Account: e.Account}, at)
	if err != nil {
		return nil, err
	}
	seen := &evidence{ledger: l, service: e.Service, at: at}
	for _, r := range rest {
		seen.add(r.Event)
	}
	a.idlers, a.unqueued = seen, seen.unqueued
	a.decide()
	return a.events, seen.fault
}

func (v *evidence) add(e Event) {
	switch e := e.(type) {
	case *SessionIdledOut:
		v.named = append(v.named, e)
	case *LoginAdmitted:
		v.longest = e.LongestIdle
	case *LoginRejected:
		v.longest, v.unnamed, v.unqueued = e.LongestIdle, e.IdleSeats, !e.Queue.IsSet()
	}
	if v.longest.IsSet() {
		v.unnamed = max(v.unnamed, 1)
	}
}

func (v *evidence) next() (idler, bool) {
	if v.given < len(v.named) {
		e := v.named[v.given]
		v.given++
		return v.checkNamed(e), true
	}
	if v.given == len(v.named) {
		v.doubt(v.checkOthers())
	}
	idle, some := v.longest.Get()
	unnamed := min(v.unnamed, v.ledger.services[v.service].seats) // whatever the log says
	if !some || v.given-len(v.named) >= int(unnamed) {
		return idler{}, false
	}
	v.given++
	return idler{idle: idle}, true
}

// checkNamed gives what an event says of one session that was logged out.
func (v *evidence) checkNamed(e *SessionIdledOut) idler {
	who := idler{session: e.Session, idle: e.Idle, covered: !e.OutOfCoverage}
	switch s := v.ledger.seats[e.Session]; {
	case s == nil || !s.live || s.service.id != v.service:
		v.doubt(fmt.Errorf("session %d was not live on service %d", e.Session, v.service))
	case s.covered == e.OutOfCoverage:
		v.doubt(fmt.Errorf("whether session %d was in coverage is told wrong", e.Session))
	case v.given > 1 && (who.idle > v.last.idle || who.idle == v.last.idle && who.session <= v.last.session):
		v.doubt(fmt.Errorf("session %d is logged out in the wrong order", e.Session))
	default:
		v.doubt(s.believes(e.Idle, v.at))
	}
	v.last = who
	return who
}

// checkOthers compares what is said of the sessions that stayed with what the
// log knows of them.
func (v *evidence) checkOthers() error {
	order := &v.ledger.services[v.service].idle
	first := v.other(order.walk())
	idle, some := v.longest.Get()
	switch {
	case first == nil && !some:
		return nil
	case first == nil:
		return errors.New("there was no other live session to be idle")
	case !some:
		return fmt.Errorf("session %d was live and its idle time is not told", first.id)
	case idle < 0 || idle > first.idleFor(v.at):
		return fmt.Errorf("no other session can have been idle for %v, but for %v at most", idle, first.idleFor(v.at))
	}
	if s := v.other(order.walkUncovered()); s != nil && s.idleFor(v.at) > idle {
		return fmt.Errorf("session %d had been idle for longer than %v, namely %v", s.id, idle, s.idleFor(v.at))
	}
	return nil
}

// other gives the first seat of a walk that is not named.
func (v *evidence) other(walk idleWalk) *seat {
	named := make(map[SessionID]bool, len(v.named))
	for _, e := range v.named {
		named[e.Session] = true
	}
	s := walk.next()
	for s != nil && named[s.id] {
		s = walk.next()
	}
	return s
}

// doubt keeps the first fault.
func (v *evidence) doubt(fault error) {
	if v.fault == nil {
		v.fault = fault
	}
}
