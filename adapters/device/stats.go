package device

import "sync/atomic"

// Stats counts what a [Server] has seen since it was made.
type Stats struct {
	Open         int64  // links open now, handshakes included
	Connections  uint64 // connections handed to Serve
	Logins       uint64 // links opened with a login
	Resumes      uint64 // links opened with a resume
	Enrolments   uint64 // links opened with an enrolment
	EnrolRefused uint64 // of them, those that were refused
	Shaking      int    // handshakes under way now
	MadeRoom     uint64 // handshakes cut to make room for others; counted among Left too
	Crowded      uint64 // refused: too many handshakes under way
	SentAway     uint64 // of the crowded, those that were asked to come back later
	Garbage      uint64 // refused: no device link, another version, a wrong key, or a broken opening
	TimedOut     uint64 // refused: the handshake took too long
	Left         uint64 // the connection was lost within the handshake
	UnknownKey   uint64 // refused: no device has the key
	Revoked      uint64 // refused: the device is revoked
	Misbehaved   uint64 // closed: a broken record or message after the handshake
	ItemsDropped uint64 // items too long for the link, replaced by a note of it
}

// counters are the live form of [Stats].
type counters struct {
	open                                          atomic.Int64
	connections, logins, resumes, enrolments      atomic.Uint64
	enrolRefused                                  atomic.Uint64
	crowded, sentAway, garbage, timedOut, left    atomic.Uint64
	unknownKey, revoked, misbehaved, itemsDropped atomic.Uint64
}

// Stats gives the counts so far.
func (s *Server) Stats() Stats {
	c := &s.counters
	shaking, madeRoom := s.lobby.stats()
	return Stats{
		Open: c.open.Load(), Connections: c.connections.Load(),
		Logins: c.logins.Load(), Resumes: c.resumes.Load(), Enrolments: c.enrolments.Load(), EnrolRefused: c.enrolRefused.Load(),
		Shaking: shaking, MadeRoom: madeRoom, Crowded: c.crowded.Load(), SentAway: c.sentAway.Load(), Garbage: c.garbage.Load(), TimedOut: c.timedOut.Load(), Left: c.left.Load(),
		UnknownKey: c.unknownKey.Load(), Revoked: c.revoked.Load(), Misbehaved: c.misbehaved.Load(),
		ItemsDropped: c.itemsDropped.Load(),
	}
}
