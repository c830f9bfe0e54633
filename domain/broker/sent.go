package broker

// keptAnswers is how many answers a session remembers. A device has far fewer
// messages unanswered at once.
const keptAnswers = 256

// sentMemory remembers the answers to a device's latest messages, so that one
// that is asked for again, after a lost link, is not sent again.
type sentMemory struct {
	answers map[string]Sent
	order   []string // a ring
	next    int
}

func (m *sentMemory) get(id string) (Sent, bool) {
	answer, ok := m.answers[id]
	return answer, ok
}

func (m *sentMemory) put(answer Sent) {
	if m.answers == nil {
		m.answers = make(map[string]Sent)
	}
	if len(m.order) < keptAnswers {
		m.order = append(m.order, answer.ID)
	} else {
		delete(m.answers, m.order[m.next])
		m.order[m.next] = answer.ID
		m.next = (m.next + 1) % keptAnswers
	}
	m.answers[answer.ID] = answer
}
