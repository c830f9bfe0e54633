// Package xmpptest starts a real XMPP server, Prosody, for tests.
//
//	server := xmpptest.StartProsody(t, xmpptest.Users("alice", "bob"))
//	settings := server.Settings() // of a service that leads there
//
// The server listens on loopback ports of its own, keeps everything in a folder
// of the test, has a certificate of an authority of its own, and is gone when the
// test ends. Every user has every other one in the roster, subscribed both ways;
// a user's password is "pw-" and the name. It works as root and as anybody else.
//
// Where Prosody is missing the test is skipped, and fails if the environment has
// ROLLCALL_REQUIRE_PEERS=1.
package xmpptest
