// Package bitlbeetest drives a real instant-messaging client in tests: BitlBee
// built with libpurple, which is an IRC server whose accounts are those of
// libpurple's protocols. A test speaks IRC; libpurple speaks to the server under
// test.
//
// # Use
//
//	b := bitlbeetest.Start(t)
//	b.Trust("127.0.0.1", certificate) // DER, for servers with TLS
//	a := b.AddAccount("novell", "alice", "secret")
//	a.Set("server", "127.0.0.1")
//	a.Set("port", "8300")
//	a.On()
//	b.Wait(`Logging in: Logged in`)
//	b.Send("bob", "hello")
//	b.Wait(`^:bob!\S+ PRIVMSG \S+ :hi there$`)
//
// # Vocabulary
//
//   - Line: one line of IRC from BitlBee, without its end.
//   - Nick: what BitlBee makes of a contact's handle; its commands go to root, in
//     the channel &bitlbee.
//
// # What it never does
//
// It listens on no port and leaves nothing behind: BitlBee runs for one
// connection, in a folder of the test's. Where it is not installed, the test is
// skipped with one line, or fails if ROLLCALL_REQUIRE_PEERS=1.
package bitlbeetest
