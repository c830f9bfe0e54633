package domain

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// Position is a record's place in the log: dense, ascending, from 1. Zero means
// "none" or "before the first record".
type Position uint64

// The names of things. Each is the position of the event that began the thing,
// so that a reference is a small integer and a join is a look-up. Zero is none.
type (
	// ServiceID is the position of a service's first service-configured event.
	ServiceID Position
	// PersonID is the position of the first event about a person.
	PersonID Position
	// AccountID is the position of the person-permitted event that gave a
	// person the use of one account on one service.
	AccountID Position
	// OfferID is the position of an enrolment-offered event.
	OfferID Position
	// DeviceID is the position of a device-enrolled event.
	DeviceID Position
	// SessionID is the position of a login-requested event. It names the login
	// from its request on and the session that grows out of it.
	SessionID Position
)

// LogID names one log for good. It is drawn when the log is created and is the
// name space of every [UUID] derived from it.
type LogID uuid.UUID

// UUID gives the name that the outside world sees for the thing at p: a version
// 5 UUID over the log's id and the position (RFC 9562, section 5.5). It is
// derived, never stored.
func (id LogID) UUID(p Position) uuid.UUID {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(p))
	return uuid.NewSHA1(uuid.UUID(id), b[:])
}

// String gives the log's id in the usual form of a UUID.
func (id LogID) String() string { return uuid.UUID(id).String() }
