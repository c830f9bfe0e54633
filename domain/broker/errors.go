package broker

import "errors"

// What the broker answers its callers with, besides the errors of the domain.
var (
	// ErrUnknownKey tells that no enrolled device has this public key.
	ErrUnknownKey = errors.New("no device is enrolled with this key")
	// ErrUnknownSecret tells that no enrolment was ever offered with this
	// secret.
	ErrUnknownSecret = errors.New("the enrolment string is not one of this server's")
	// ErrSessionOver tells that the session has ended.
	ErrSessionOver = errors.New("the session is over")
	// ErrLinkReplaced tells that a newer link speaks for the session.
	ErrLinkReplaced = errors.New("a newer link has taken over the session")
	// ErrStopped tells that the broker has stopped or is stopping.
	ErrStopped = errors.New("the broker is stopping")
	// ErrInboxFull tells that the disk has no room for what waits for devices.
	ErrInboxFull = errors.New("there is no room for messages that wait for devices; make room on the disk of the data folder")
)
