package why

import (
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/domain"
)

// follows are the endings that no decision begins with, and what it begins with.
var follows = map[domain.EndCause]domain.EventType{
	domain.EndDeviceRevoked:  domain.TypeDeviceRevoked,
	domain.EndServiceRemoved: domain.TypeServiceRemoved,
	domain.EndPersonBarred:   domain.TypePersonBarred,
}

// continues tells whether r belongs to the decision that decision holds the
// first records of. It cuts a log as domain.Replay does.
func continues(decision []domain.Record, r domain.Record) bool {
	first := decision[0].Event.Type()
	if first == domain.TypeLoginRequested {
		return !decided(decision)
	}
	switch e := r.Event.(type) {
	case *domain.SessionEnded:
		return follows[e.Cause] == first
	case *domain.LoginRejected:
		return e.Code == domain.RejectInterrupted && first == domain.TypeBrokerStarted
	}
	return false
}

// decided tells whether the records of a login are complete.
func decided(login []domain.Record) bool {
	switch login[len(login)-1].Event.(type) {
	case *domain.LoginRequested, *domain.SessionEnded, *domain.SessionIdledOut:
		return false
	}
	return true
}

// subject gives the index of the record that tells what a decision made of the
// session, or of the event that was asked about; -1 where it is about neither.
func subject(decision []domain.Record, session domain.SessionID, asked domain.Position) int {
	found := -1
	for i, r := range decision {
		if session != 0 && audit.SessionOf(r) == session && settles(r.Event) || r.Position == asked && found < 0 {
			found = i
		}
	}
	return found
}

// settles tells whether an event gives a session its seat, or takes it away.
func settles(e domain.Event) bool {
	switch e.(type) {
	case *domain.LoginAdmitted, *domain.LoginRejected, *domain.SessionIdledOut, *domain.SessionEnded:
		return true
	}
	return false
}
