package why

import (
	"fmt"

	"rollcall/domain"
)

// idledOut tells for whom a session made room, and why it was this one.
func (v *view) idledOut(e *domain.SessionIdledOut) words {
	idle, how := "silent", "its device was silent, and not known to be out of coverage"
	if e.OutOfCoverage {
		idle, how = "out of coverage", "its device was known to be out of coverage"
	}
	w := words{
		outcome: who(v.rows[v.at]) + " was logged out, to make room", rule: ruleEvict,
		reason: fmt.Sprintf("the house was full, and the session had been %s for %v, with an idle timeout of %v", idle, e.Idle, v.settings().IdleTimeout),
	}
	w.say("%s", how)
	if newcomer := v.rows[0]; newcomer.Session == e.For {
		w.say("it made room for %s: login %d, device %d, which was %s", who(newcomer), e.For, newcomer.Device, v.newcomers())
	}
	if v.settings().Evict == domain.EvictFewest {
		w.say("evict is fewest: the longest idle are logged out first, and no more than needed")
	} else {
		w.say("evict is all: everybody who has been idle for the timeout is logged out")
	}
	return w
}

// newcomers tells what became of the login that room was made for.
func (v *view) newcomers() string {
	if e, refused := v.records[len(v.records)-1].Event.(*domain.LoginRejected); refused {
		return "refused all the same: " + e.Code.String()
	}
	return "then admitted"
}

// ended tells what ended a session.
func (v *view) ended(e *domain.SessionEnded) words {
	row := v.rows[v.at]
	w := words{outcome: who(row) + " was logged out: " + e.Cause.String(), rule: ruleOperator, reason: e.Cause.String()}
	if known, ok := endings[e.Cause]; ok {
		w.rule, w.reason = known.rule, known.reason
	}
	if e.Cause == domain.EndLogout {
		w.outcome = who(row) + " logged out"
	}
	if idle, some := e.Idle.Get(); some {
		w.reason = fmt.Sprintf("nothing had been heard of the device for %v, with an inactivity timeout of %v", idle, v.settings().InactivityTimeout)
	}
	switch begun := v.records[0]; {
	case e.Cause == domain.EndSuperseded:
		w.say("login %d took over", begun.Position)
	case begun.Position != row.Position:
		w.say("it was part of position %d, %v", begun.Position, begun.Event.Type())
	}
	if said := extra(row, "upstream_text"); said != "" {
		w.say("the text on record: %s", said)
	}
	return w
}

// endings say by which rule a session ends, and why.
var endings = map[domain.EndCause]struct{ rule, reason string }{
	domain.EndLogout:         {ruleDevice, "the person logged out"},
	domain.EndUpstreamClosed: {ruleUpstream, "the upstream server closed the connection, or it broke, or what came could not be sealed for the device"},
	domain.EndSuperseded:     {ruleSuperseding, "the same device logged in to the service again, and the new session took over the seat"},
	domain.EndedByOperator:   {ruleOperator, "an administrator ended the session"},
	domain.EndDeviceRevoked:  {ruleOperator, "an administrator revoked the device"},
	domain.EndServiceRemoved: {ruleOperator, "an administrator removed the service"},
	domain.EndInactive:       {ruleInactivity, "nothing had been heard of the device for the inactivity timeout"},
	domain.EndPersonBarred:   {ruleOperator, "an administrator barred the person from the account"},
	domain.EndResumeFailed:   {ruleUpstream, "the device came back after a restart, and the upstream server no longer took the credentials"},
}
