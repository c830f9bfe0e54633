package broker

import (
	"hash/maphash"
	"slices"
)

// keptAnswers is how many answers a session remembers: more than a device keeps
// unanswered, which is a thousand at most, so that all of them may get lost with
// a link.
const keptAnswers = 1024

// sentMemory remembers the answers to a device's latest messages, so that one
// that is asked for again, after a lost link, is not sent again. It keeps eight
// bytes of each.
type sentMemory struct {
	ids     []uint64          // hashes of the messages' names, a ring
	next    int               // of the ring, once it is full
	refused map[uint64]string // what upstream said of those that it refused
}

var sentSeed = maphash.MakeSeed()

func (m *sentMemory) get(id string) (Sent, bool) {
	hash := maphash.String(sentSeed, id)
	if !slices.Contains(m.ids, hash) {
		return Sent{}, false
	}
	return Sent{ID: id, Error: m.refused[hash]}, true
}

func (m *sentMemory) put(answer Sent) {
	hash := maphash.String(sentSeed, answer.ID)
	if len(m.ids) < keptAnswers {
		m.ids = append(m.ids, hash)
	} else {
		delete(m.refused, m.ids[m.next])
		m.ids[m.next] = hash
		m.next = (m.next + 1) % keptAnswers
	}
	if answer.Error == "" {
		return
	}
	if m.refused == nil {
		m.refused = make(map[uint64]string)
	}
	m.refused[hash] = answer.Error
}
