// Package stserver is a Sametime community server in memory: a double on which
// clients can be tried out. Real clients log in to it, see each other, talk, look
// people up, keep their contact lists, and meet in conferences.
//
// # Use
//
//	s := stserver.New(stserver.Config{Accounts: []stserver.Account{{Name: "alice", Password: "secret"}}})
//	defer s.Close()
//	l, err := net.Listen("tcp", "127.0.0.1:1533")
//	…
//	err = s.Serve(l) // returns when s is closed
//
// # Vocabulary
//
//   - Account: what can be logged in to. Its Name is what is typed at login, its
//     UserID names the person afterwards.
//   - Client: one logged-in connection; a person may have several.
//   - Faults: what the double does wrong on purpose, see [Faults].
//
// # What it never does
//
// It keeps nothing on disk, and its passwords stand in memory as they are: it is
// for test accounts. It checks no client's version, enforces no privacy list, and
// knows no file transfer, no places, and no groups of a directory. It takes its one
// lock for every message, and does not try to be fast.
package stserver
