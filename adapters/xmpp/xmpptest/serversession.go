package xmpptest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"
)

// session is a bound resource. The server's lock guards it.
type session struct {
	user     *user
	resource string
	stream   *stream // nil while it hibernates
	out      *outbox // of the stream
	expiry   *time.Timer

	available bool
	presence  string // what the last presence had inside
	managed   bool
	previd    string   // to resume with; empty where that was not asked for
	received  uint32   // stanzas from the client
	sent      uint32   // stanzas to the client
	unacked   []stanza // the last of them
}

func (s *session) address() string { return s.user.Address() + "/" + s.resource }

// say sends text that stream management does not count.
func (s *session) say(text string) {
	if s.out != nil {
		s.out.add(text)
	}
}

// deliver sends a stanza, and keeps it until it is acknowledged.
func (s *session) deliver(st stanza) {
	if !s.managed {
		s.say(st.String())
		return
	}
	s.sent++
	s.unacked = append(s.unacked, st)
	s.say(st.String())
	if st.kind == "message" {
		s.say("<r xmlns='" + nsSM + "'/>")
	}
}

// acknowledge forgets what the client has.
func (s *session) acknowledge(h uint32) {
	if left := int(int32(s.sent - h)); left >= 0 && left < len(s.unacked) {
		s.unacked = slices.Clone(s.unacked[len(s.unacked)-left:])
	}
}

func (s *session) cut() {
	if s.stream != nil {
		s.stream.conn.Close()
	}
}

func (s *session) stopHibernation() {
	if s.expiry != nil {
		s.expiry.Stop()
	}
}

// bind makes a session of a stream whose user has authenticated.
func (s *Server) bind(st *stream, id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[st.name]
	bound := &session{user: u, resource: rand.Text()[:8], stream: st, out: newOutbox(s, st)}
	u.sessions = append(u.sessions, bound)
	bound.say(fmt.Sprintf("<iq type='result' id='%s'><bind xmlns='%s'><jid>%s</jid></bind></iq>", escape(id), nsBind, bound.address()))
	return bound
}

// resume takes up a session whose stream has broken, XEP-0198 section 5; nil
// where there is none, and the client may bind a new one.
func (s *Server) resume(st *stream, e *element) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.users[st.name].sessions {
		if known.previd == "" || known.previd != e.attr("previd") {
			continue
		}
		known.stopHibernation()
		known.cut()
		known.stream, known.out = st, newOutbox(s, st)
		known.acknowledge(number(e.attr("h")))
		known.say(fmt.Sprintf("<resumed xmlns='%s' previd='%s' h='%d'/>", nsSM, known.previd, known.received))
		for _, again := range known.unacked {
			known.say(again.String())
		}
		return known
	}
	_ = st.write("<failed xmlns='" + nsSM + "'><item-not-found xmlns='" + nsStanzas + "'/></failed>") // the next read says if it is gone
	return nil
}

// lost tells that a session's stream has ended.
func (s *Server) lost(gone *session, st *stream) {
	s.mu.Lock()
	if gone.stream != st { // it was resumed on another one
		s.mu.Unlock()
		return
	}
	out := gone.out
	gone.stream, gone.out = nil, nil
	if st.clean || gone.previd == "" || s.closed {
		s.expire(gone)
	} else {
		gone.expiry = time.AfterFunc(s.config.Hibernation, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if gone.stream == nil {
				s.expire(gone)
			}
		})
	}
	s.mu.Unlock()
	if st.clean {
		out.await() // the end of the stream stands behind all that was said
	}
}

// expire ends a session: contacts see it go, and messages that it has not
// acknowledged go to another one, or wait for the next. The lock is held.
func (s *Server) expire(gone *session) {
	u := gone.user
	if !slices.Contains(u.sessions, gone) {
		return
	}
	u.sessions = slices.DeleteFunc(u.sessions, func(other *session) bool { return other == gone })
	if gone.available {
		gone.available = false
		s.broadcast(gone, stanza{kind: "presence", attrs: []attr{{"type", "unavailable"}, {"from", gone.address()}}})
	}
	for _, st := range gone.unacked {
		if st.kind == "message" && !s.closed {
			s.keepOrDeliver(u, st)
		}
	}
	gone.unacked = nil
}
