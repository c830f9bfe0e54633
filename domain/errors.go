package domain

import "errors"

// ErrLogFull tells that there is no room for a batch of events. Nothing of it was
// written, and the log takes it when there is room.
var ErrLogFull = errors.New("there is no room for the log to grow; make room on its disk")

// The cases in which Decide refuses a command. Logins that are refused are not
// among them: a refused login is a fact and becomes a [LoginRejected].
var (
	ErrUnknownService = errors.New("no such service")
	ErrUnknownPerson  = errors.New("no such person")
	ErrUnknownAccount = errors.New("no such account of this person")
	ErrUnknownDevice  = errors.New("no such device")
	ErrDeviceRevoked  = errors.New("the device is revoked")
	ErrUnknownSession = errors.New("no such live session")
	ErrNotPending     = errors.New("the login is not waiting for its upstream connection")
	ErrStaleFence     = errors.New("a newer link has taken over the session")
	ErrUnknownOffer   = errors.New("no such enrolment offer")
	ErrOfferSpent     = errors.New("the enrolment string has been used; ask for a new one")
	ErrOfferExpired   = errors.New("the enrolment string has expired; ask for a new one")
	ErrOfferTime      = errors.New("an enrolment offer must be valid for some time")
)
