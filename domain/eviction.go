package domain

import "time"

// idlers gives who has been idle, longest first: the ledger's seats or, when a
// decision is checked, what its events say of them.
type idlers interface {
	next() (idler, bool)
}

// idler is a live session of the service that is asked for.
type idler struct {
	session SessionID
	idle    time.Duration
	covered bool
}

// seatIdlers gives the ledger's own seats at the time at.
type seatIdlers struct {
	walk idleWalk
	at   time.Time
}

func (i *seatIdlers) next() (idler, bool) {
	s := i.walk.next()
	if s == nil {
		return idler{}, false
	}
	return idler{session: s.id, idle: s.idleFor(i.at), covered: s.covered}, true
}

// whoIsIdle gives the idlers to look at.
func (a *admission) whoIsIdle() idlers {
	if a.idlers == nil {
		a.idlers = &seatIdlers{walk: a.service.idle.walk(), at: a.at}
	}
	return a.idlers
}

// makeRoom logs out idle sessions, and admits the newcomer if that was enough.
func (a *admission) makeRoom(most uint32) {
	needed := a.service.seats - most + 1
	idle, stays := a.idleSessions(needed)
	found := uint32(len(idle))
	if found < needed && a.service.settings.Evict == EvictFewest {
		if found > 0 {
			stays = Some(idle[0].idle)
		}
		a.refuseBusy(&LoginRejected{Seats: a.service.seats, LongestIdle: stays, IdleSeats: found})
		return
	}
	a.logOut(idle)
	seats := a.service.seats - found
	if found < needed {
		a.refuseBusy(&LoginRejected{Seats: seats, LongestIdle: stays})
		return
	}
	a.admit(&LoginAdmitted{Seats: seats + 1, Limit: a.service.settings.MaxSessions, LongestIdle: stays})
}

// idleSessions gives whom to log out, longest idle first, and how long the first
// of the others has been idle, at whom it stops. Where only the fewest are
// logged out it gives no more than needed.
func (a *admission) idleSessions(needed uint32) (found []idler, stays Optional[time.Duration]) {
	timeout, _ := a.service.settings.IdleTimeout.Get()
	fewest := a.service.settings.Evict == EvictFewest
	for who := a.whoIsIdle(); ; {
		next, ok := who.next()
		if !ok {
			return found, Optional[time.Duration]{}
		}
		if next.idle < timeout || fewest && uint32(len(found)) == needed {
			return found, Some(next.idle)
		}
		found = append(found, next)
	}
}

func (a *admission) logOut(victims []idler) {
	for _, v := range victims {
		a.events = append(a.events, &SessionIdledOut{
			Session:       v.session,
			For:           a.session,
			Idle:          v.idle,
			OutOfCoverage: !v.covered,
		})
	}
}

// longest gives how long the longest idle session has been idle; unset if there
// is none.
func (a *admission) longest() Optional[time.Duration] {
	if first, ok := a.whoIsIdle().next(); ok {
		return Some(first.idle)
	}
	return Optional[time.Duration]{}
}

// refuseBusy refuses the login with the evidence in e and tells the device when
// to return: each a little later than the one before it. A refusal on record that
// tells nothing of a queue is one of the earlier rule, which gave everybody the
// same hint; it is derived by that.
func (a *admission) refuseBusy(e *LoginRejected) {
	first := untilRoom(a.service.settings, e.LongestIdle)
	e.Code, e.Limit = RejectServerBusy, a.service.settings.MaxSessions
	if a.unqueued {
		e.RetryAfter = Some(first)
	} else {
		reach := a.service.queue.reach(a.at)
		e.RetryAfter, e.Queue = Some(busyHint(first, reach)), Some(reach)
	}
	a.reject(e)
}
