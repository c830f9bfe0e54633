// Package gwserver is a GroupWise Messenger server in memory: a double for tests
// and for trying things out. The real libpurple client logs in to it.
//
// # Use
//
//	certificate, err := gwserver.NewCertificate("127.0.0.1")
//	server := gwserver.New(gwserver.Config{
//		Certificate: certificate,
//		Users:       []gwserver.User{{Name: "alice", Password: "a", Contacts: []gwserver.Entry{{Person: "bob"}}}, …},
//	})
//	go server.Serve(listener)
//	defer server.Close()
//
// # What it does
//
// Users log in over TLS, see their contact lists with folders, details and
// presence, change both, write to each other in conversations of two and in
// conferences, see each other type, and ping. Connections can be cut, stalled,
// slowed and split, requests answered with any code, and logins limited or
// redirected; see the methods of [Server].
//
// Where it is not known what a real server does, docs/protocols/groupwise.md says
// what the double does, and why.
//
// # Vocabulary
//
//   - User: somebody in the directory. Session: a user's connection.
//   - Entry: one appearance of a person in a user's contact list.
//   - Participant: a user who gets a conversation's messages.
//
// # What it never does
//
// It is no server for daily use: it keeps passwords in memory as they are, and
// forgets everything when it ends.
package gwserver
