// Package device is the link between a device and the collaboration service,
// both ends of it: [Server] is the service's, [Client] and [Session] are the
// device's. The bytes are laid down in docs/device-link.md; the messages in
// link.proto.
//
// # Shape
//
// A link begins with a preamble in clear, which a router can read, goes on with
// a Noise XK handshake in whose third message the device says what it wants
// (log in, resume, enrol), and consists of length-prefixed encrypted records
// from then on, one message each. A message is compressed on its own, where
// that makes it shorter, and never together with another one.
//
// # Vocabulary
//
//   - Preamble: protocol version and routing token, in clear.
//   - Record: a length and that many encrypted bytes. Frame: what is in it.
//   - Opening: the first message, which rides in the handshake.
//   - Enrolment: the string that an operator hands to a person, once.
//   - Identity: what a device keeps on its disk, keys and sessions.
//   - Coverage: whether the device's link is there.
//
// # What it never does
//
// It decides nothing about logins: it translates between the wire and the ports
// of the broker ([broker.Devices], [broker.Link]). It allocates nothing in
// proportion to what a stranger claims, and writes no password, key or secret
// to a log.
package device
