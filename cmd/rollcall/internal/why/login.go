package why

import (
	"fmt"
	"time"

	"rollcall/domain"
)

// admitted tells why a login was given a seat.
func (v *view) admitted(e *domain.LoginAdmitted) words {
	w := words{outcome: who(v.rows[v.at]) + " was admitted", rule: ruleRoom}
	idledOut := v.madeRoomFor(e.Session)
	old := v.superseded()
	limit, limited := e.Limit.Get()
	switch {
	case old != 0:
		w.rule, w.reason = ruleSuperseding, fmt.Sprintf("the device had a session there already, %d: the new one took over its seat, which needs no room", old)
	case idledOut > 0:
		w.rule, w.reason = ruleEvict, fmt.Sprintf("the house was full, and %s idle for the idle timeout of %v made room", count(idledOut, "session"), v.settings().IdleTimeout)
	case limited:
		w.reason = "there was room"
	default:
		w.reason = "there was room: neither a maximum nor a total of the protocol is set"
	}
	if limited {
		w.say("%d of %s taken, this one included", e.Seats, count(limit, "seat"))
	} else {
		w.say("%s taken, this one included", count(e.Seats, "seat"))
	}
	if idle, some := e.LongestIdle.Get(); some {
		w.say("the longest idle session of those that stayed had been idle for %v", idle)
	}
	return w
}

// rejected tells why a login was refused.
func (v *view) rejected(e *domain.LoginRejected) words {
	w := words{outcome: who(v.rows[v.at]) + " was refused: " + e.Code.String(), next: nextSteps[e.Code]}
	switch e.Code {
	case domain.RejectUnknownService:
		w.rule, w.reason = ruleKnownService, fmt.Sprintf("no service %q was configured", v.rows[v.at].Service)
	case domain.RejectNotPermitted:
		w.rule, w.reason = rulePermitted, fmt.Sprintf("the device's person was not permitted to use account %q on service %s", v.rows[v.at].Account, v.rows[v.at].Service)
	case domain.RejectBackedOff:
		w.rule, w.reason = ruleBackedOff, "the device had given wrong passwords, and had to wait"
		w.say("%s in a row, the last at %s", count(v.device.Failures, "wrong password"), instant(v.device.Failed))
	case domain.RejectFailed300:
		w.rule, w.reason = ruleFailed300, "the total of sessions that the protocol can have was reached, and "+v.whyTotal()
		w.outcome += ", which a device shows as Failed (300)"
		w.full(e)
	case domain.RejectServerBusy:
		w.rule, w.reason = ruleServerBusy, v.whyBusy(e)
		w.outcome += ", which a device shows as Server Busy"
		w.full(e)
		w.busy(e)
	default:
		v.rejectedLater(e, &w)
	}
	if wait, some := e.RetryAfter.Get(); some {
		w.say("the device was told to try again in %v", wait)
	}
	return w
}

// rejectedLater tells why a login was refused that had a seat already.
func (v *view) rejectedLater(e *domain.LoginRejected, w *words) {
	w.rule, w.reason = ruleUpstream, upstreamReasons[e.Code]
	if w.reason == "" {
		w.reason = "the upstream login failed"
	}
	if e.Code == domain.RejectInterrupted {
		w.rule, w.reason = ruleInterrupted, "the device left, or the broker stopped, before the login was through"
		if v.at > 0 {
			w.reason = "the broker was started again before the login was through"
		}
	}
	if e.Code == domain.RejectBadCredentials {
		w.say("%s in a row from this device", count(v.device.Failures+1, "wrong password"))
	}
	if said := extra(v.rows[v.at], "upstream_text"); said != "" {
		w.say("the text on record: %s", said)
	}
}

// whyTotal tells why it was the protocol's total that limited.
func (v *view) whyTotal() string {
	if most, set := v.settings().MaxSessions.Get(); set {
		return fmt.Sprintf("the maximum of %d lies above it", most)
	}
	return "no maximum is set below it"
}

// whyBusy tells why nobody made room, or not enough did.
func (v *view) whyBusy(e *domain.LoginRejected) string {
	timeout, set := v.settings().IdleTimeout.Get()
	idledOut := v.madeRoomFor(e.Session)
	switch {
	case !set:
		return "the maximum was reached, and no idle timeout is set: nobody makes room"
	case idledOut > 0:
		return fmt.Sprintf("the maximum was reached, and that %s idle for the idle timeout of %v made room was not enough", count(idledOut, "session"), timeout)
	case e.IdleSeats > 0:
		return fmt.Sprintf("the maximum was reached; %s had been idle for the idle timeout of %v, fewer than needed, and evict fewest then logs out none", count(e.IdleSeats, "session"), timeout)
	}
	return fmt.Sprintf("the maximum was reached, and no session had been idle for the idle timeout of %v", timeout)
}

// full tells how full the house was.
func (w *words) full(e *domain.LoginRejected) {
	if limit, some := e.Limit.Get(); some {
		w.say("%d of %s taken", e.Seats, count(limit, "seat"))
	}
}

// busy tells how long the others had been idle, and who was to return before
// this device.
func (w *words) busy(e *domain.LoginRejected) {
	if idle, some := e.LongestIdle.Get(); some {
		w.say("the longest idle session had been idle for %v", idle)
	} else {
		w.say("no session was live that could have been idle")
	}
	switch queue, some := e.Queue.Get(); {
	case some && queue > 0:
		w.say("devices that were refused before it had been told to return over the next %v", queue)
	case some:
		w.say("no device that was refused before it was still to return")
	}
}

// superseded gives the session whose seat a login took over; zero if there is
// none.
func (v *view) superseded() domain.SessionID {
	for _, r := range v.records {
		if e, ok := r.Event.(*domain.SessionEnded); ok && e.Cause == domain.EndSuperseded {
			return e.Session
		}
	}
	return 0
}

// madeRoomFor counts the sessions that were logged out for a login.
func (v *view) madeRoomFor(login domain.SessionID) (n uint32) {
	for _, r := range v.records {
		if e, ok := r.Event.(*domain.SessionIdledOut); ok && e.For == login {
			n++
		}
	}
	return n
}

// settings gives those that held; none are set where there is no service.
func (v *view) settings() domain.Settings {
	if v.service == nil {
		return domain.Settings{}
	}
	return v.service.Settings
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

var upstreamReasons = map[domain.RejectCode]string{
	domain.RejectBadCredentials:      "the upstream server refused the name or the password",
	domain.RejectUpstreamRefused:     "the upstream server refused the login, for another reason than name or password",
	domain.RejectUpstreamUnreachable: "no connection to the upstream server could be made",
	domain.RejectUpstreamTimeout:     "the upstream server did not answer in time",
	domain.RejectUpstreamFull:        "the upstream server had no room",
}

// nextSteps say what can be done about a refusal.
var nextSteps = map[domain.RejectCode]string{
	domain.RejectUnknownService:      "see 'rollcall service list' for the services there are",
	domain.RejectNotPermitted:        "see 'rollcall device list' for what each person may use; 'rollcall device enrol' permits more",
	domain.RejectBackedOff:           "wait, and give the right password; if it was somebody else who tried, 'rollcall device revoke' shuts the device out",
	domain.RejectServerBusy:          "see 'rollcall sessions list' for who is there; 'rollcall service set' raises max-sessions, or sets a shorter idle-timeout",
	domain.RejectFailed300:           "see 'rollcall sessions list' for who is there; 'rollcall service set' sets protocol-total, if the server takes more",
	domain.RejectBadCredentials:      "give the right password",
	domain.RejectUpstreamRefused:     "look at the upstream server, and at the account there",
	domain.RejectUpstreamUnreachable: "look at the upstream server, and at its address in 'rollcall service list'",
	domain.RejectUpstreamTimeout:     "look at the upstream server, and at its address in 'rollcall service list'",
	domain.RejectUpstreamFull:        "look at the limits of the upstream server",
	domain.RejectInterrupted:         "log in again",
}
