package domain

import "fmt"

// EventType is the kind of an event. Its text is what people see; what is stored
// is a field number of events.proto, so neither a renamed Go type nor a
// renamed text touches a log.
type EventType uint8

// The event types.
const (
	TypeBrokerStarted EventType = iota + 1
	TypeBrokerStopped
	TypeServiceConfigured
	TypeServiceRemoved
	TypePersonPermitted
	TypePersonBarred
	TypeEnrolmentOffered
	TypeDeviceEnrolled
	TypeDeviceRevoked
	TypeLoginRequested
	TypeLoginAdmitted
	TypeLoginAccepted
	TypeLoginRejected
	TypeCoverageLost
	TypeCoverageRegained
	TypeSessionResumed
	TypeSessionIdledOut
	TypeSessionEnded
)

var eventNames = [...]string{
	TypeBrokerStarted:     "broker-started",
	TypeBrokerStopped:     "broker-stopped",
	TypeServiceConfigured: "service-configured",
	TypeServiceRemoved:    "service-removed",
	TypePersonPermitted:   "person-permitted",
	TypePersonBarred:      "person-barred",
	TypeEnrolmentOffered:  "enrolment-offered",
	TypeDeviceEnrolled:    "device-enrolled",
	TypeDeviceRevoked:     "device-revoked",
	TypeLoginRequested:    "login-requested",
	TypeLoginAdmitted:     "login-admitted",
	TypeLoginAccepted:     "login-accepted",
	TypeLoginRejected:     "login-rejected",
	TypeCoverageLost:      "coverage-lost",
	TypeCoverageRegained:  "coverage-regained",
	TypeSessionResumed:    "session-resumed",
	TypeSessionIdledOut:   "session-idled-out",
	TypeSessionEnded:      "session-ended",
}

// EventTypes gives every event type, in the order of their numbers.
func EventTypes() []EventType {
	types := make([]EventType, 0, len(eventNames)-1)
	for t := TypeBrokerStarted; int(t) < len(eventNames); t++ {
		types = append(types, t)
	}
	return types
}

// String gives the printed name, such as "login-admitted".
func (t EventType) String() string { return nameOf(eventNames[:], int(t), "event") }

// RejectCode is why a login was refused. The numbers are stored and sent to
// devices: they are never reused.
type RejectCode uint8

// The reasons for which a login is refused.
const (
	RejectUnknownService      RejectCode = 1  // no such service is configured
	RejectNotPermitted        RejectCode = 2  // the device's person may not use this account there
	RejectServerBusy          RejectCode = 3  // the maximum is reached and nobody is idle: Server Busy
	RejectFailed300           RejectCode = 4  // the protocol's total is reached: Failed (300)
	RejectBackedOff           RejectCode = 5  // too many wrong passwords from this device; wait
	RejectBadCredentials      RejectCode = 6  // the upstream server refused the name or the password
	RejectUpstreamRefused     RejectCode = 7  // the upstream server refused for another reason
	RejectUpstreamUnreachable RejectCode = 8  // no connection to the upstream server could be made
	RejectUpstreamTimeout     RejectCode = 9  // the upstream server did not answer in time
	RejectUpstreamFull        RejectCode = 10 // the upstream server has no room
	RejectInterrupted         RejectCode = 11 // the broker stopped, or the device left, before the login was through
)

var rejectNames = [...]string{
	RejectUnknownService:      "unknown-service",
	RejectNotPermitted:        "not-permitted",
	RejectServerBusy:          "server-busy",
	RejectFailed300:           "failed-300",
	RejectBackedOff:           "backed-off",
	RejectBadCredentials:      "bad-credentials",
	RejectUpstreamRefused:     "upstream-refused",
	RejectUpstreamUnreachable: "upstream-unreachable",
	RejectUpstreamTimeout:     "upstream-timeout",
	RejectUpstreamFull:        "upstream-full",
	RejectInterrupted:         "interrupted",
}

// String gives the printed name, such as "server-busy".
func (c RejectCode) String() string { return nameOf(rejectNames[:], int(c), "reject-code") }

// EndCause is why a session ended. The numbers are stored and sent to devices:
// they are never reused.
type EndCause uint8

// The causes of a session's end. Being logged out to make room has an event of
// its own, [SessionIdledOut].
const (
	EndLogout         EndCause = 1 // the person logged out
	EndUpstreamClosed EndCause = 2 // the upstream server closed the connection, or it broke
	EndSuperseded     EndCause = 3 // the same device logged in to the service again
	EndedByOperator   EndCause = 4 // an administrator ended it
	EndDeviceRevoked  EndCause = 5 // the device was revoked
	EndServiceRemoved EndCause = 6 // the service was removed
	EndInactive       EndCause = 7 // nothing heard for the inactivity timeout
	EndPersonBarred   EndCause = 8 // the person was barred from the account
	EndResumeFailed   EndCause = 9 // the device came back after a restart, and the upstream server no longer took the credentials
)

var endNames = [...]string{
	EndLogout:         "logout",
	EndUpstreamClosed: "upstream-closed",
	EndSuperseded:     "superseded",
	EndedByOperator:   "ended-by-operator",
	EndDeviceRevoked:  "device-revoked",
	EndServiceRemoved: "service-removed",
	EndInactive:       "inactive",
	EndPersonBarred:   "person-barred",
	EndResumeFailed:   "resume-failed",
}

// String gives the printed name, such as "upstream-closed".
func (c EndCause) String() string { return nameOf(endNames[:], int(c), "end-cause") }

// nameOf gives names[i], or a readable stand-in for a number this version does
// not know.
func nameOf(names []string, i int, what string) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return fmt.Sprintf("%s-%d", what, i)
}
