// Package codec turns records into the bytes that are stored, and back.
//
// # Form
//
// The bytes are protobuf wire format, written and read by hand over
// google.golang.org/protobuf/encoding/protowire. The schema is events.proto, so
// that a program in any language can read a log. Events are grouped in one file
// for each family, as in package domain: an encode function and a decode
// function for each event, joined to its field number in table.go.
//
//   - A record says how many milliseconds it stands behind the record in front
//     of it. A reference to another record says how many positions that one lies
//     back; zero is the record itself.
//   - A block holds records that follow one another, with the position of the
//     first and the time in front of it. It can be read without any other block.
//
// A record's bytes depend on its position, on its content, and on the time of the
// record in front of it, all of which are fixed once it is written. They do not
// depend on the block it lies in. So they never change again, and hashes can
// rest on them.
//
// # Rules of change
//
// A field number is never reused, a field never renamed or given another type.
// Fields may be added; what they mean where they are absent is what older records
// mean. Another meaning is another event. A field that is not known is skipped;
// an event that is not known is an [UnknownEventError].
//
// # What it never does
//
// It opens no file and knows no checksum: those are the log's. It changes no
// record, and drops nothing to make one fit: what the form cannot hold exactly is
// refused.
package codec
