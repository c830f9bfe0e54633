package why

import (
	"encoding/json"
	"fmt"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// The rules by which it is decided. The first eight are those of a login, in
// their order.
const (
	ruleKnownService = "known-service"
	rulePermitted    = "permitted"
	ruleBackedOff    = "backed-off"
	ruleSuperseding  = "superseding"
	ruleRoom         = "room"
	ruleFailed300    = "failed-300"
	ruleEvict        = "evict"
	ruleServerBusy   = "server-busy"

	ruleUpstream    = "upstream"    // what the upstream server said, or did
	ruleInactivity  = "inactivity"  // nothing heard for the inactivity timeout
	ruleDevice      = "device"      // what the device did, or did not
	ruleOperator    = "operator"    // an administrator asked for it
	ruleInterrupted = "interrupted" // the login was not through when the broker or the device went away
	ruleBroker      = "broker"      // the appliance itself
)

// words is a decision in words.
type words struct {
	outcome, rule, reason string
	evidence              []string
	next                  string
}

func (w *words) say(format string, args ...any) {
	w.evidence = append(w.evidence, fmt.Sprintf(format, args...))
}

// words gives the words for the subject of a decision that has been folded.
func (v *view) words() words {
	row := v.rows[v.at]
	switch e := v.subject().Event.(type) {
	case *domain.LoginAdmitted:
		return v.admitted(e)
	case *domain.LoginRejected:
		return v.rejected(e)
	case *domain.SessionIdledOut:
		return v.idledOut(e)
	case *domain.SessionEnded:
		return v.ended(e)
	case *domain.LoginAccepted:
		return words{outcome: who(row) + " was let in", rule: ruleUpstream, reason: "the upstream server took the name and the password"}
	case *domain.CoverageLost:
		return words{outcome: who(row) + " was out of coverage", rule: ruleDevice, reason: fmt.Sprintf("nothing had been heard of the device for %v", e.Silent)}
	case *domain.CoverageRegained:
		return words{outcome: who(row) + " was back in coverage", rule: ruleDevice, reason: "the device was heard again on the link it had"}
	case *domain.SessionResumed:
		return words{outcome: who(row) + " was back on a new link", rule: ruleDevice, reason: fmt.Sprintf("the device came back and took its session up again, on its link number %d", e.Fence)}
	}
	return otherWords(v.subject().Event, row)
}

// who gives the person in a row, or the device where nobody has that name any
// more.
func who(row control.AuditRow) string {
	switch {
	case row.Person != "":
		return row.Person
	case row.Device != 0:
		return fmt.Sprintf("device %d", row.Device)
	case row.PersonID != 0: // who was erased
		return fmt.Sprintf("person %d", row.PersonID)
	}
	return "a person without a name"
}

// extra gives a side record that stands among a row's fields; empty if there is
// none.
func extra(row control.AuditRow, field string) string {
	fields := make(map[string]json.RawMessage)
	var text string
	if json.Unmarshal(row.Fields, &fields) == nil {
		_ = json.Unmarshal(fields[field], &text) // what is no text is no side record
	}
	return text
}

// count gives a number of things with the right word.
func count(n uint32, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
