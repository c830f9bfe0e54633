package groupwise

import (
	"slices"

	"rollcall/adapters/groupwise/wire"
)

// maxTalks is how many conversations are remembered; above it each message to
// somebody begins a new one.
const maxTalks = 4096

// talk is a conversation on the server.
type talk struct {
	guid       wire.GUID
	with       []*person // the others in it
	conference bool      // it has, or had, more than one of them
	invited    bool      // we have been asked and have not joined
}

// dns gives the others' DNs.
func (t *talk) dns() []string {
	dns := make([]string, len(t.with))
	for i, p := range t.with {
		dns[i] = p.dn
	}
	return dns
}

func (t *talk) has(p *person) bool { return slices.Contains(t.with, p) }

// remember keeps a conversation. One of two takes the place of the one before
// with the same person. The lock is held.
func (v *Conversation) remember(t *talk) {
	if len(v.talks) >= maxTalks {
		return
	}
	v.talks[t.guid.Key()] = t
	if !t.conference && len(t.with) == 1 {
		p := t.with[0]
		if p.talk != nil {
			delete(v.talks, p.talk.guid.Key())
		}
		p.talk = t
	}
}

// drop forgets a conversation. The lock is held.
func (v *Conversation) drop(t *talk) {
	delete(v.talks, t.guid.Key())
	for _, p := range t.with {
		if p.talk == t {
			p.talk = nil
		}
	}
}

// talkWith gives the conversation that a message came in, which is new if it has
// not been heard of. The lock is held.
func (v *Conversation) talkWith(p *person, guid wire.GUID) *talk {
	t := v.talks[guid.Key()]
	switch {
	case t == nil:
		t = &talk{guid: guid, with: []*person{p}}
		v.remember(t)
	case !t.has(p):
		v.widen(t)
		t.with = append(t.with, p)
	}
	return t
}

// widen makes a conference of a conversation of two. The lock is held.
func (v *Conversation) widen(t *talk) {
	t.conference = true
	for _, p := range t.with {
		if p.talk == t {
			p.talk = nil
		}
	}
}
