package broker

import "context"

// Whoever has something for a device leaves it with the session; one goroutine at
// a time writes what is there to the link, without the session's lock. So a slow
// device holds up neither its own upstream nor anybody who sends to it.

// maxWaiting is how many answers may wait for a link that does not take them.
const maxWaiting = 1024

// say leaves a message for the link there is, in front of letters and news. The
// lock is held.
func (s *session) say(m ToDevice) {
	if s.link == nil || s.over {
		return
	}
	if len(s.said) >= maxWaiting {
		s.b.logger.Debug("link given up: the device does not read", "session", s.id)
		s.dropLink()
		return
	}
	s.said = append(s.said, m)
}

// flush writes what there is to the link, unless somebody does already. The lock
// is held, and let go of meanwhile.
func (s *session) flush() {
	if !s.writing && s.link != nil {
		s.writing = true
		s.write()
	}
}

// kick is flush on a goroutine of its own, for whoever must not wait for the
// device. The lock is held.
func (s *session) kick() {
	if !s.writing && s.link != nil {
		s.writing = true
		go func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.write()
		}()
	}
}

func (s *session) write() {
	for s.link != nil {
		m := s.next()
		if m == nil && s.turnPage() {
			continue
		}
		if m == nil {
			break
		}
		s.writeOne(s.link, m)
	}
	s.writing = false
	if s.over && s.link != nil {
		s.link.Close()
		s.link = nil
	}
	if s.written != nil {
		close(s.written)
		s.written = nil
	}
}

// writeOne writes to a link. One that fails is given up; its reader will notice.
func (s *session) writeOne(link Link, m ToDevice) {
	s.mu.Unlock()
	err := link.Send(m)
	s.mu.Lock()
	if err != nil && s.link == link {
		s.b.logger.Debug("link failed", "session", s.id, "error", err)
		s.dropLink()
	}
}

// next gives what is to be written next: answers, then letters, then news; nil if
// there is nothing at hand.
func (s *session) next() ToDevice {
	if len(s.said) > 0 {
		m := s.said[0]
		if s.said = s.said[1:]; len(s.said) == 0 {
			s.said = nil
		}
		return m
	}
	if s.over {
		return nil
	}
	if i, ok := s.outbox.next(s.b.letter); ok {
		return i
	}
	if s.outbox.due() {
		return nil
	}
	if n, ok := s.news.next(); ok {
		return n
	}
	return nil
}

// turnPage reads on in the inbox, where something is due that is not at hand;
// false if nothing is. The lock is let go of meanwhile.
func (s *session) turnPage() bool {
	if s.over || !s.outbox.due() {
		return false
	}
	from := s.outbox.sent + 1
	s.mu.Unlock()
	page, err := s.b.inbox.Letters(context.Background(), s.mailboxID(), from, pageSize)
	s.mu.Lock()
	if err != nil {
		_ = s.b.failInbox("read letters", err)
		return false
	}
	if s.outbox.sent+1 == from { // not taken up anew meanwhile
		s.outbox.turn(page)
	}
	return true
}

// awaitWritten waits until nothing is being written any more, or ctx is done.
func (s *session) awaitWritten(ctx context.Context) {
	s.mu.Lock()
	if s.writing && s.written == nil {
		s.written = make(chan struct{})
	}
	written := s.written
	s.mu.Unlock()
	if written == nil {
		return
	}
	select {
	case <-written:
	case <-ctx.Done():
	}
}
