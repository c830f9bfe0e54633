// Package configuration is the view of what administrators have set: the
// services with their settings, who may use accounts on them, the devices, and
// the enrolment offers that are still open.
//
// # Rows
//
//	service/ID   name, settings, and the protocol's total; no row once it is removed
//	account/ID   the person and the service; no row once the person is barred or the service removed
//	device/ID    the person, since when, and whether it is revoked
//	offer/ID     the person and until when; no row once it is used, or expired when the next offer is made
//
// Names of people, accounts and devices are side records of the log.
package configuration
