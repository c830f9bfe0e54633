// Package connectivity is the view of what is needed to take sessions up again:
// for each session its device, service and account, the number of the link that
// speaks for it, and where it stands. A returning device is matched against it,
// and a broker that starts finds in it whom to wait for.
//
// # Rows
//
//	session/ID   a seat, with its fence and the position of its last event
//	device/ID    the sessions of a device, ascending; no row where there is none
//	asked        the login that was requested last, until it is answered
//
// It holds no credentials: those are side records of the log, sealed to the
// device.
package connectivity
