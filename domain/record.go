package domain

import "time"

// Event is a fact in the past tense. Every event is a pointer to a struct of
// this package; nobody changes an event once it has been made, so events may be
// shared between goroutines.
type Event interface {
	// Type tells which fact this is.
	Type() EventType
	// apply folds the event, recorded at p and at, into l.
	apply(l *Ledger, p Position, at time.Time)
}

// Record is an event in its place in the log.
type Record struct {
	Position Position
	// Time is UTC in whole milliseconds and never before the time of the
	// record in front of it.
	Time  time.Time
	Event Event
}

// Instant brings t into the form that every record and command uses: UTC, whole
// milliseconds, no monotonic reading.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// SideKind says what a side record holds. The numbers are stored: they are never
// reused.
type SideKind uint8

// The kinds of side records, each with the position it stands under.
const (
	SidePersonName   SideKind = 1 // a person's name, under the PersonID
	SideAccountName  SideKind = 2 // an account's name, under the AccountID; or, under a SessionID, the name of an account that was asked for and not permitted
	SideDeviceLabel  SideKind = 3 // what the person calls the device, under the DeviceID
	SideDeviceKey    SideKind = 4 // the device's public key (32 bytes, X25519), under the DeviceID
	SideAddress      SideKind = 5 // the network address a login came from, under the SessionID
	SideCredentials  SideKind = 6 // the session's upstream credentials, sealed to a key that only the device holds, under the SessionID
	SideOfferSecret  SideKind = 7 // SHA-256 of an enrolment's one-time secret, under the OfferID
	SideServiceName  SideKind = 8 // the name of a service that was asked for and is not configured, under the SessionID
	SideUpstreamText SideKind = 9 // what the upstream server said when it refused a login or closed a session, under the SessionID
)

// SideKey names one side record.
type SideKey struct {
	Position Position
	Kind     SideKind
}

// Side is a side record: personal or secret data that lies beside an event and
// can be deleted without touching the log.
type Side struct {
	SideKey
	Value []byte
}

// Batch is what is written to the log in one atomic, durable step: dense
// records that follow the log's last one, side records to store, and side
// records to delete. A side record may stand under any position up to the
// batch's last. Deleting one that is not there is no error.
type Batch struct {
	Records []Record
	Sides   []Side
	Forget  []SideKey
}
