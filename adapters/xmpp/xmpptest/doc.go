// Package xmpptest has XMPP servers for tests: a real one, Prosody, and a double
// that runs in the test's own process or in a child of it and bears thousands of
// sessions.
//
//	server := xmpptest.StartProsody(t, xmpptest.Users("alice", "bob"))
//	settings := server.Settings() // of a service that leads there
//
//	double := xmpptest.NewServer(xmpptest.ServerConfig{Users: users})
//	go double.Serve(listener)
//
// Prosody listens on loopback ports of its own, keeps everything in a folder
// of the test, has a certificate of an authority of its own, and is gone when the
// test ends. Every user has every other one in the roster, subscribed both ways;
// a user's password is "pw-" and the name. It works as root and as anybody else.
// Where it is missing the test is skipped, and fails if the environment has
// ROLLCALL_REQUIRE_PEERS=1.
//
// # What the double does
//
// It speaks what a client of RFC 6120 and 6121 needs: stream features, STARTTLS,
// SASL SCRAM and PLAIN, bind, roster, presence among the users, chat messages,
// ping, and stream management with resumption (XEP-0198). Messages to a user who
// is away, and those that a broken stream never acknowledged, are kept for the
// next login (XEP-0160). It talks to no other server, forgets everything when it
// ends, and does not let anybody change a roster.
package xmpptest
