package device

import "time"

// logout is how far a logout has come. It waits for the answers that are due, but
// not for long; then it goes in front of what is not sent yet, but still behind what
// is, at which the server may be held up for as long as upstream takes. Where
// nothing comes of it the link is closed, and it goes first on a new one.
type logout struct {
	asked  bool
	waited bool // for answers
	heldUp bool // and the link was closed for it
	timer  *time.Timer
}

const (
	// answersWithin is how long a logout waits for answers that are due.
	answersWithin = 3 * time.Second
	// noticeWithin is how long it then waits for its turn on the same link.
	noticeWithin = time.Second
)

// awaitAnswers has a logout wait from now on, on a new link anew unless it has
// waited before. The lock is held.
func (s *Session) awaitAnswers() {
	l := &s.logout
	switch {
	case !l.asked || l.waited || s.link == nil:
	case l.timer == nil:
		l.timer = time.AfterFunc(answersWithin, s.hurryLogout)
	default:
		l.timer.Reset(answersWithin)
	}
	s.kick()
}

// stop ends the waiting with the link.
func (l *logout) stop() {
	if l.timer != nil {
		l.timer.Stop()
	}
}

// hurryLogout takes the next step with a logout that has waited.
func (s *Session) hurryLogout() {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.logout
	switch {
	case s.link == nil:
	case !l.waited:
		l.waited = true
		l.timer.Reset(noticeWithin)
		s.kick()
	default:
		l.heldUp = true
		s.link.conn.Close()
	}
}

// heldUp tells, once, that the link was closed so that a logout can go first on
// another.
func (s *Session) heldUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	heldUp := s.logout.heldUp
	s.logout.heldUp = false
	return heldUp
}
