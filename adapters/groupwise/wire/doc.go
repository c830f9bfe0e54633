// Package wire is the GroupWise Messenger client protocol as bytes: requests,
// responses, events, and the field trees inside of them.
//
// # Shape
//
// A client sends [Request]; a server answers each with a [Response] and says
// things of its own accord with an [Event]. Requests and responses look like
// HTTP/1.0 and are not: there is no length and no end but that of the fields, and
// one connection carries everything both ways until it is closed. [ServerReader]
// reads what a client sends, [ClientReader] what a server sends.
//
// Above the fields, one file for each family of messages says which fields stand
// in which message: login.go, people.go, contacts.go, status.go,
// conversation.go.
//
// # Vocabulary
//
//   - Field: a tag with a type, a method and a value, which may be more fields.
//   - DN: the name of a person in the directory, cn=bob,ou=staff,o=acme.
//   - Display id: the name people see and type; bob or bob.staff.acme.
//   - GUID: the name of a conversation, of which the first part counts.
//   - Transaction: a number that a response repeats from its request.
//
// # Limits
//
// Nothing that is read takes more memory than [MaxMessage] and a small multiple
// of it, however it is nested, and each fault is a *[FormatError].
//
// There is no public specification. docs/protocols/groupwise.md says what is known
// and how; what is not known is taken tolerantly here.
package wire
