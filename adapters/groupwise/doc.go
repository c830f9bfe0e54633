// Package groupwise connects to GroupWise Messenger servers.
//
// # Shape
//
// [Connector] logs in over TLS, each session on a connection of its own.
// [Conversation] has one goroutine, which reads; requests are written by whoever
// has one, and their answers come back by the number of their transaction. What
// is for the sink goes through a queue that has a goroutine only while something
// is in it.
//
// # Vocabulary
//
//   - DN: the directory's name of a person, which all messages use. Address: the
//     display id, which people use.
//   - Talk: a conversation of two on the server, named by a GUID. It is made with
//     the first message, kept while both are there, and made again after.
//   - Conference: a conversation of more. Its address is "conference-" and the
//     part of its GUID that counts.
//   - Answer: a server's response to one request.
//
// # What it never does
//
// It never uses a GUID after the connection that it came on, nor after the other
// one has gone offline: servers drop such messages in silence. It sends no
// password but in the login inside of TLS, and keeps none.
//
// docs/protocols/groupwise.md has the settings, the errors, and what is known of
// the protocol. Package wire has its bytes, rtf its texts, gwserver a server to
// try it on.
package groupwise
