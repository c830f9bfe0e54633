// Package sametime is the connector to Sametime community servers. Each session
// gets a connection of its own, to port 1533: in the form the protocol has always
// had, or inside of TLS where the server takes that.
//
// The facts come from the vendor's draft of 1999 and from what other clients are
// known to send; docs/protocols/sametime.md says which is which. The form on the
// wire is package wire, the legacy encryption package seal, and package stserver is
// a server to try it on, which real clients have logged in to.
//
// # Vocabulary
//
//   - Channel: a line within the connection; each service and each talk has one.
//   - User id: names a person; login name: what the person types to log in. They
//     may differ.
//   - Reason: the number with which a server ends a channel or a login.
//   - In the clear: a way to log in from which whoever listens learns the
//     password: the plain one and RC2 with 40 bits, outside of TLS.
//
// # Shape
//
// Login takes the connection to a logged-in one on the caller's goroutine. From then
// on one goroutine reads, and looks each message up in a table of handlers. What
// follows from it is queued; a second goroutine delivers to the sink, and is there
// only while something waits. So the reader goes on while the sink is slow, until
// the queue is full, and a Send that waits for the other side's consent is not
// waiting for the sink.
//
// # What it never does
//
// It never sends a password in the clear unless the service is set to allow it, and
// then says so in the log each time; it keeps no password beyond the login. It never
// answers a typing notice with one, writes no contact list, and sets no privacy
// list. It decides nothing about sessions.
package sametime
