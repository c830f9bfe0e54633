package local

import (
	"slices"

	"rollcall/domain/broker"
)

// person is an account that is logged in. Its methods are called with the
// connector's lock held.
type person struct {
	name string
	// sessions are in the order in which they last spoke of their presence: the
	// last one's holds.
	sessions []*conversation
}

// presence gives how the person is for others.
func (p *person) presence() broker.OwnPresence {
	if p == nil || len(p.sessions) == 0 {
		return broker.OwnPresence{Show: broker.ShowOffline}
	}
	return p.sessions[len(p.sessions)-1].presence
}

func (p *person) add(v *conversation) { p.sessions = append(p.sessions, v) }

// remove takes a session out; false if it was not there.
func (p *person) remove(v *conversation) bool {
	i := slices.Index(p.sessions, v)
	if i < 0 {
		return false
	}
	p.sessions = slices.Delete(p.sessions, i, i+1)
	return true
}

// put puts an event into the queue of each session.
func (p *person) put(e broker.UpstreamEvent) {
	for _, v := range p.sessions {
		v.queue.put(e)
	}
}

// hasRoom tells whether every session can take a message of that length.
func (p *person) hasRoom(length int) bool {
	return !slices.ContainsFunc(p.sessions, func(v *conversation) bool { return !v.queue.hasRoom(length) })
}
