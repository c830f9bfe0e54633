package device

import "rollcall/domain/broker"

// news is up to which state a session has heard, and what it has of a roster that
// comes in parts.
type news struct {
	epoch  uint64
	number uint64
	roster []broker.Contact // of the parts so far; nil between rosters
	parts  int
}

// maxRoster and maxParts bound how many contacts, in how many parts, a roster may
// have: no server can have a device remember more than 64 MiB of it.
const (
	maxRoster = 1 << 16
	maxParts  = 256
)

// setEpoch takes the numbering of states that the server uses from now on.
func (s *Session) setEpoch(epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news.epoch != epoch {
		s.news = news{epoch: epoch}
	}
}

// takeState gives a state to the handler once all its parts are there. Its number
// counts as heard only then.
func (s *Session) takeState(part statePart, h Handler) error {
	s.mu.Lock()
	state, err := s.news.join(part)
	s.mu.Unlock()
	if err != nil || part.more {
		return err
	}
	if state.Body != nil { // else of a newer version
		if err := h.state(state); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news.heard(state.Number)
	return nil
}

// join gives the state that a part completes, if it does.
func (n *news) join(part statePart) (broker.State, error) {
	roster, ok := part.Body.(broker.RosterReceived)
	switch {
	case !ok && n.parts > 0:
		return broker.State{}, linkError{malformed("state", "it cuts a roster short")}
	case len(n.roster)+len(roster.Contacts) > maxRoster || n.parts == maxParts:
		return broker.State{}, linkError{malformed("state", "a roster of too many contacts")}
	case !ok:
		return part.State, nil
	}
	n.parts++
	n.roster = append(n.roster, roster.Contacts...)
	return broker.State{Number: part.Number, Body: broker.RosterReceived{Contacts: n.roster}}, nil
}

func (n *news) heard(number uint64) {
	n.roster, n.parts = nil, 0
	n.number = max(n.number, number)
}

func (h Handler) state(state broker.State) error {
	if h.State == nil {
		return nil
	}
	return h.State(state)
}
