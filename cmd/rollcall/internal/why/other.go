package why

import (
	"fmt"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// otherWords gives the words for an event that is about no session.
func otherWords(e domain.Event, row control.AuditRow) words {
	w := words{rule: ruleOperator, reason: "an administrator asked for it"}
	switch e := e.(type) {
	case *domain.ServiceConfigured:
		w.outcome = fmt.Sprintf("service %s was set", row.Service)
	case *domain.ServiceRemoved:
		w.outcome = fmt.Sprintf("service %s was removed", row.Service)
	case *domain.PersonPermitted:
		w.outcome = fmt.Sprintf("%s was permitted account %s on service %s", who(row), row.Account, row.Service)
	case *domain.PersonBarred:
		w.outcome = who(row) + " was barred from every account"
		if e.Account != 0 {
			w.outcome = fmt.Sprintf("%s was barred from account %s on service %s", who(row), row.Account, row.Service)
		}
	case *domain.EnrolmentOffered:
		w.outcome = fmt.Sprintf("%s was offered to enrol a device within %v", who(row), e.ValidFor)
	case *domain.DeviceEnrolled:
		w.outcome = fmt.Sprintf("device %d of %s was enrolled", row.Device, owner(row))
		w.rule, w.reason = ruleDevice, fmt.Sprintf("the device redeemed the enrolment string offered at position %d", e.Offer)
	case *domain.DeviceRevoked:
		w.outcome = fmt.Sprintf("device %d of %s was revoked", row.Device, owner(row))
	case *domain.BrokerStarted:
		w.outcome, w.rule, w.reason = "the broker was started", ruleBroker, "the appliance began to serve: every session there was counts as out of coverage from here on"
	case *domain.BrokerStopped:
		w.outcome, w.rule, w.reason = "the broker was stopped", ruleBroker, "the appliance was told to stop"
	default:
		w.outcome, w.rule, w.reason = row.Type, "", "this version knows no more of it"
	}
	return w
}

// owner gives the person in a row in which the device is named already.
func owner(row control.AuditRow) string {
	row.Device = 0
	return who(row)
}
