// Package local is the service that Rollcall has built in: an instant-messaging
// server without a network, for trying things out and for small houses that have
// no other.
//
// # Shape
//
// [Store] keeps the accounts in one file, which the running service and the
// `rollcall user` commands may use at the same time. [Connector] is the server:
// who is logged in, their presence, and messages from one to another, all in
// memory. An idle conversation costs a few hundred bytes and no goroutine.
//
// # Vocabulary
//
//   - Account: a name and a password, kept in the file.
//   - Directory: all accounts as they stood in the file at one time.
//   - Person: an account that is logged in, once or several times.
//   - Queue: what is on its way to one conversation's sink.
//   - Receipt: what the sender of one message waits for.
//
// # What it does with a message
//
// It goes to every session of the recipient, and counts as sent when each of them
// has acknowledged it: then it is safe with the broker on their side. A recipient
// who is not logged in, or who is too far behind, is a *[broker.SendError] for the
// sender. Where nobody knows, as the sender was cut off or the process ended, the
// same message sent again has the same ID, by which the recipient's side knows it.
//
// # What it never does
//
// It opens no socket, keeps no message on disk, and keeps no password: the file
// holds argon2id hashes (RFC 9106). It waits for nobody with a lock held.
package local
