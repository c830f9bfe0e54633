// Package sessions is the view of who holds a seat: the live sessions and the
// pending logins, one by one and counted by service and state.
//
// # Rows
//
//	session/ID   a seat: device, service, account, whether it is live and covered, since when
//	count/ID     a service's seats by state; no row where there is none
//	device/ID    the person a device belongs to
//	asked        the login that was requested last, until it is answered
//
// # Vocabulary
//
// A seat is pending while the upstream login is under way; then the session is
// live, and covered or out of coverage. A session is out of coverage since its
// device was last heard of, not since that was noticed: from then on its idle
// timeout runs.
//
// The view knows a session from its device's last recorded change only: the
// status messages of a device in reach are not events.
package sessions
