// Package usage is the view of how full the services have been, minute by
// minute: the seats taken, and what became of the logins.
//
// # Rows
//
//	minute/TIME/ID   what happened on a service in an earlier minute, which began at TIME (RFC 3339, UTC)
//	now/ID           the minute of a service that is still counted: the last one in which something happened
//	seats/ID         the service of a seat that is taken
//	asked            the service of the login that was requested last, until it is answered
//
// A minute in which nothing happened on a service has no row: the seats are
// those of the last row in front of it. Minutes are kept for as long as the log
// is; about 150 bytes each.
//
// A login for a service that is not configured counts under service 0.
package usage
