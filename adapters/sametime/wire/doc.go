// Package wire is the form of the Sametime community protocol ("VP") on the wire:
// what stands between frames, the messages, and the messages of the services
// inside of channels. It does no I/O beyond reading frames.
//
// The vendor published a draft in 1999 (Sametime Community - Client Protocol,
// draft-houri); what has changed since is known from other clients. Where the two
// disagree the later form is written, and both are read where they can be told
// apart. See docs/protocols/sametime.md.
//
// # Vocabulary
//
//   - Frame: a four-byte length and a message. Between frames stand single bytes
//     with their top bit set: keep-alives and counters.
//   - Message: what a frame holds: a header and a body.
//   - Channel: a line within the connection, by number. Number 0 is the master
//     channel; numbers of channels that the server opened have their top bit set.
//   - Service message: what a CHANNEL_SEND carries; its kind means something
//     else in each service, and in conferences in each direction.
//   - End mark: an offset in front of a block that tells where the block ends, so
//     that a reader can skip what it does not know.
//
// # One description of each message
//
// Each message describes its fields once, in a method fields; a writer, a reader
// and a tracer walk the same description. So what is written can be read, and a
// test's expected value is the trace.
//
// # What it never does
//
// It keeps no state, knows no passwords, and takes no more memory than the bytes
// it was given call for: counts are checked against what is left before anything
// is made.
package wire
