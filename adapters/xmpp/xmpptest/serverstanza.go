package xmpptest

import (
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stanza is a message, presence or IQ on its way to a client.
type stanza struct {
	kind  string
	attrs []attr
	inner string
	sent  time.Time
}

type attr struct{ name, value string }

// String gives the stanza's XML.
func (st stanza) String() string {
	var b strings.Builder
	b.WriteString("<" + st.kind)
	for _, a := range st.attrs {
		b.WriteString(" " + a.name + "='" + escape(a.value) + "'")
	}
	b.WriteString(">" + st.inner + "</" + st.kind + ">")
	return b.String()
}

// from gives what a client sent as it goes on to somebody else.
func (e *element) from(s *session) stanza {
	st := stanza{kind: e.XMLName.Local, inner: e.Inner, sent: time.Now()}
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local != "from" && a.Name.Local != "xmlns" {
			st.attrs = append(st.attrs, attr{a.Name.Local, a.Value})
		}
	}
	st.attrs = append(st.attrs, attr{"from", s.address()})
	return st
}

// takers have what may stand on the top level of a bound stream; anything else
// is passed over.
var takers = map[xml.Name]func(*Server, *session, *element){
	{Space: nsClient, Local: "message"}:  (*Server).takeMessage,
	{Space: nsClient, Local: "presence"}: (*Server).takePresence,
	{Space: nsClient, Local: "iq"}:       (*Server).takeIQ,
	{Space: nsSM, Local: "enable"}:       (*Server).takeEnable,
	{Space: nsSM, Local: "r"}:            (*Server).takeAckRequest,
	{Space: nsSM, Local: "a"}:            (*Server).takeAck,
}

// take works off one element of a session.
func (s *Server) take(from *session, e *element) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if take := takers[e.XMLName]; take != nil {
		if e.XMLName.Space == nsClient {
			from.received++
		}
		take(s, from, e)
	}
	return nil
}

func (s *Server) takeMessage(from *session, e *element) {
	bare, resource, _ := strings.Cut(e.attr("to"), "/")
	name, domain, _ := strings.Cut(bare, "@")
	to := s.users[name]
	st := e.from(from)
	if to == nil || domain != Domain {
		s.bounce(from, e)
		return
	}
	i := slices.IndexFunc(to.sessions, func(other *session) bool { return other.resource == resource })
	switch {
	case i >= 0:
		to.sessions[i].deliver(st)
	case e.attr("type") != "error":
		s.keepOrDeliver(to, st)
	}
}

// keepOrDeliver sends a message to every session of a user that is available, or
// keeps it where there is none and it has something to read.
func (s *Server) keepOrDeliver(to *user, st stanza) {
	delivered := false
	for _, session := range to.sessions {
		if session.available {
			session.deliver(st)
			delivered = true
		}
	}
	if !delivered && strings.Contains(st.inner, "<body") && len(to.offline) < maxOffline {
		to.offline = append(to.offline, st)
	}
}

func (s *Server) bounce(to *session, e *element) {
	if e.attr("type") == "error" {
		return
	}
	to.deliver(stanza{
		kind:  e.XMLName.Local,
		attrs: []attr{{"type", "error"}, {"id", e.attr("id")}, {"from", e.attr("to")}, {"to", to.address()}},
		inner: "<error type='cancel'><service-unavailable xmlns='" + nsStanzas + "'/></error>",
	})
}

func (s *Server) takePresence(from *session, e *element) {
	kind := e.attr("type")
	if e.attr("to") != "" || kind != "" && kind != "unavailable" {
		return // subscriptions stay as they are
	}
	first := !from.available && kind == ""
	from.available, from.presence = kind == "", e.Inner
	s.broadcast(from, e.from(from))
	if !first {
		return
	}
	for _, name := range s.contacts(from.user.Name) {
		for _, other := range s.sessionsOf(name) {
			from.deliver(stanza{kind: "presence", attrs: []attr{{"from", other.address()}}, inner: other.presence})
		}
	}
	waiting := from.user.offline
	from.user.offline = nil
	for _, st := range waiting {
		st.inner += fmt.Sprintf("<delay xmlns='%s' from='%s' stamp='%s'/>", nsDelay, Domain, st.sent.UTC().Format(time.RFC3339))
		from.deliver(st)
	}
}

// broadcast tells a user's contacts, and the user's own sessions.
func (s *Server) broadcast(from *session, st stanza) {
	for _, name := range append(slices.Clone(s.contacts(from.user.Name)), from.user.Name) {
		for _, other := range s.sessionsOf(name) {
			other.deliver(st)
		}
	}
}

// sessionsOf gives the sessions of a user that are available.
func (s *Server) sessionsOf(name string) []*session {
	u := s.users[name]
	if u == nil {
		return nil
	}
	var available []*session
	for _, other := range u.sessions {
		if other.available {
			available = append(available, other)
		}
	}
	return available
}

func (s *Server) takeIQ(from *session, e *element) {
	to, kind := e.attr("to"), e.attr("type")
	if kind != "get" && kind != "set" {
		return
	}
	mine := to == "" || to == Domain || to == from.user.Address()
	switch {
	case mine && kind == "get" && e.child(nsRoster, "query") != nil:
		s.answer(from, e, s.roster(from.user.Name))
	case mine && kind == "get" && e.child(nsPing, "ping") != nil:
		s.answer(from, e, "")
	default:
		s.bounce(from, e)
	}
}

func (s *Server) answer(to *session, e *element, inner string) {
	attrs := []attr{{"type", "result"}, {"id", e.attr("id")}, {"to", to.address()}}
	if from := e.attr("to"); from != "" {
		attrs = append(attrs, attr{"from", from})
	}
	to.deliver(stanza{kind: "iq", attrs: attrs, inner: inner})
}

func (s *Server) roster(name string) string {
	items := ""
	for _, contact := range s.contacts(name) {
		items += fmt.Sprintf("<item jid='%s' name='%s' subscription='both'><group>Friends</group></item>", User{Name: contact}.Address(), escape(contact))
	}
	return "<query xmlns='" + nsRoster + "'>" + items + "</query>"
}

// takeEnable turns stream management on, XEP-0198 section 3.
func (s *Server) takeEnable(from *session, e *element) {
	if s.config.NoManagement || from.managed {
		from.say("<failed xmlns='" + nsSM + "'><unexpected-request xmlns='" + nsStanzas + "'/></failed>")
		return
	}
	from.managed, from.received, from.sent, from.unacked = true, 0, 0, nil
	if r := e.attr("resume"); r == "true" || r == "1" {
		from.previd = rand.Text()
		from.say("<enabled xmlns='" + nsSM + "' id='" + from.previd + "' resume='true'/>")
		return
	}
	from.say("<enabled xmlns='" + nsSM + "'/>")
}

func (s *Server) takeAckRequest(from *session, _ *element) {
	from.say(fmt.Sprintf("<a xmlns='%s' h='%d'/>", nsSM, from.received))
}

func (s *Server) takeAck(from *session, e *element) { from.acknowledge(number(e.attr("h"))) }

// number reads a counter; zero where it is none.
func number(text string) uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
