package broker

// A device that nobody uses is sent no news: it would only wake its radio. What
// has changed meanwhile it hears when it is used again. Messages always go.

// inform takes in news from upstream, and has the device hear of it.
func (s *session) inform(e UpstreamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	if t, ok := e.(TypingChanged); ok {
		s.sayTyping(t)
		return
	}
	fresh := s.news.take(e)
	s.noteCut()
	switch {
	case !fresh || s.link == nil:
	case s.dormant():
		s.news.withheld = true
		s.b.counters.withheld.Add(1)
	default:
		s.news.push(e)
		s.kick()
	}
}

// maxTyping is how many answers may wait in front of a word that somebody types.
const maxTyping = 16

// sayTyping tells at once that somebody types, or never. The lock is held.
func (s *session) sayTyping(t TypingChanged) {
	if s.link == nil || s.dormant() || len(s.said) >= maxTyping || len(t.Contact) > maxContactText {
		return
	}
	s.say(State{Body: t})
	s.kick()
}

// noteCut logs and counts, once, that a session's roster is too big. The lock is held.
func (s *session) noteCut() {
	if s.news.cut && !s.news.noted {
		s.news.noted = true
		s.b.counters.rostersCut.Add(1)
		s.b.logger.Warn("a roster is too big, and its device is not told of all contacts", "session", s.id, "limit", maxContacts)
	}
}

// dormant tells that the device has not been used for a while. The lock is held.
func (s *session) dormant() bool { return s.b.clock.Elapsed()-s.used >= s.b.timing.Dormant }

// use notes that the device is used, and has it told what it has missed. The lock
// is held.
func (s *session) use() {
	s.used = s.b.clock.Elapsed()
	if s.news.withheld && s.link != nil {
		s.news.gather()
	}
}
