package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"rollcall/domain"
)

// session is the I/O state of one login and the session that grows out of it.
// Whatever happens to it, from its device or from upstream, happens under its
// locks, on the goroutine that brought it; so an idle session costs none. calls
// is taken before mu.
type session struct {
	b       *Broker
	id      domain.SessionID
	device  domain.DeviceID
	service domain.ServiceID

	// resuming is held by the one resume that is under way.
	resuming sync.Mutex
	// calls is held while conv is called: for as long as upstream takes, in
	// which mu stays free for what comes from there.
	calls sync.Mutex
	call  call
	sent  sentMemory // calls' own

	mu       sync.Mutex
	over     bool
	secret   secretDigest
	conv     Conversation // nil until the upstream login is through
	outbox   outbox
	interval time.Duration // of status messages

	link      Link // nil while there is none
	fence     uint32
	heard     time.Time
	uncovered bool // coverage-lost is on record
	ungrace   func() bool
}

// attachment is a session as one of its links drives it.
type attachment struct {
	*session
	link Link
}

var _ Session = attachment{}

// begin makes the conversation and the first link of a session live. It gives
// false where the session has ended meanwhile.
func (s *session) begin(conv Conversation, secret []byte, link Link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.conv, s.secret = conv, digest(secret)
	s.fence = 1
	s.attach(link, Accepted{Session: s.id, Resume: secret, StatusInterval: s.interval, Fence: s.fence})
	return true
}

// attach lets link speak for the session, greets it, and sends what is due. The
// lock is held.
func (s *session) attach(link Link, greeting ToDevice) {
	if s.link != nil {
		s.link.Close()
	}
	s.stopGrace()
	s.link = link
	s.hear()
	s.send(greeting)
	for _, item := range s.outbox.unacked() {
		s.send(item)
	}
	s.pump()
}

// hear notes that the device was heard of. The lock is held.
func (s *session) hear() {
	s.heard = s.b.clock.Now()
	s.b.seq.touch(s.id, s.heard)
}

// send writes to the link there is. A link that fails is given up; its reader
// will notice. The lock is held.
func (s *session) send(m ToDevice) {
	if s.link == nil {
		return
	}
	if err := s.link.Send(m); err != nil {
		s.b.logger.Debug("link failed", "session", s.id, "error", err)
		s.dropLink()
	}
}

// pump sends the items that wait, as far as they may be in flight. The lock is
// held.
func (s *session) pump() {
	for s.link != nil {
		item, ok := s.outbox.next()
		if !ok {
			return
		}
		s.send(item)
	}
}

// Receive hands in a message from the device, see [Session].
func (a attachment) Receive(ctx context.Context, m FromDevice) error {
	s := a.session
	s.calls.Lock()
	defer s.calls.Unlock()
	conv, err := a.listen(ctx)
	if err != nil {
		return over(err)
	}
	switch m := m.(type) {
	case Ack:
		s.acknowledge(conv, m.Number)
	case Send:
		s.sendUpstream(conv, m)
	case SetPresence:
		s.setPresence(conv, m.Presence)
	case Logout:
		return over(s.finish(ctx, domain.EndLogout, ""))
	}
	return nil // a Status says no more than that the device is there
}

// over puts what the ledger says of a session that has ended into the words of
// the port.
func over(err error) error {
	if errors.Is(err, domain.ErrUnknownSession) {
		return ErrSessionOver
	}
	return err
}

// listen notes that the device was heard of on this link, if that is the one
// which speaks for the session.
func (a attachment) listen(ctx context.Context) (Conversation, error) {
	s := a.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, ErrSessionOver
	}
	if s.link != a.link {
		return nil, ErrLinkReplaced
	}
	s.hear()
	return s.conv, s.regainCoverage(ctx)
}

// acknowledge forgets the items that are safe with the device, and tells
// upstream. calls is held.
func (s *session) acknowledge(conv Conversation, number uint64) {
	s.mu.Lock()
	safe := s.outbox.ack(number)
	s.pump()
	s.mu.Unlock()
	if safe > 0 {
		conv.Acknowledge(safe)
	}
}

// sendUpstream sends a message once, however often the device asks, and answers.
// Where the conversation has just ended there is no answer, and the device keeps
// the message. calls is held.
func (s *session) sendUpstream(conv Conversation, m Send) {
	answer, known := s.sent.get(m.ID)
	if !known {
		ctx, done := s.call.begin(context.Background(), s.b.timing.SendTimeout)
		defer done()
		answer = Sent{ID: m.ID}
		if err := conv.Send(ctx, OutgoingMessage(m)); err != nil {
			var refused *SendError
			if !errors.As(err, &refused) {
				s.b.logger.Debug("message not sent", "session", s.id, "error", err)
				return
			}
			answer.Error = brief(refused.Text)
		}
		s.sent.put(answer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(answer)
}

// setPresence tells upstream how the person is. calls is held.
func (s *session) setPresence(conv Conversation, p OwnPresence) {
	ctx, done := s.call.begin(context.Background(), s.b.timing.SendTimeout)
	defer done()
	if err := conv.SetPresence(ctx, p); err != nil {
		s.b.logger.Debug("presence not sent", "session", s.id, "error", err)
	}
}

// finish records the end of the session. Its taking down follows from the
// record, see [Broker.react]. The lock may be held.
func (s *session) finish(ctx context.Context, cause domain.EndCause, text string) error {
	return s.b.seq.do(ctx, func(t *turn) error {
		_, err := t.decide(domain.EndSession{At: t.now, Session: s.id, Cause: cause})
		if err != nil {
			return err
		}
		t.side(domain.Position(s.id), domain.SideUpstreamText, []byte(brief(text)))
		return nil
	})
}

// Deliver takes what comes from upstream, see [Sink].
func (s *session) Deliver(seq uint64, e UpstreamEvent) {
	if closed, ok := e.(Closed); ok {
		s.upstreamClosed(closed.Err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.outbox.add(e, seq)
		s.pump()
	}
}

// upstreamClosed ends the session for good: its connection was its own. A session
// that has been taken down is left as it is: the broker may only be stopping.
func (s *session) upstreamClosed(cause error) {
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over {
		return
	}
	text := "the connection broke"
	var refusal *UpstreamError
	if errors.As(cause, &refusal) {
		text = refusal.Error()
	}
	err := s.finish(context.Background(), domain.EndUpstreamClosed, text)
	if err != nil && !errors.Is(err, domain.ErrUnknownSession) {
		s.b.logger.Warn("cannot record that upstream closed", "session", s.id, "error", err)
	}
}

// end takes the session down after its end has been recorded: the device is
// told, upstream is logged out.
func (s *session) end(n Notice) {
	conv := s.close(func() { s.send(n) })
	s.b.unregister(s)
	s.logout(conv)
}

// suspend takes the session down without ending it: the broker stops.
func (s *session) suspend() {
	s.logout(s.close(func() {}))
}

// close marks the session as over, says goodbye on the link and closes it.
func (s *session) close(goodbye func()) Conversation {
	s.call.giveUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil
	}
	s.over = true
	s.stopGrace()
	goodbye()
	if s.link != nil {
		s.link.Close()
		s.link = nil
	}
	return s.conv
}

// logout ends the conversation, once no call to it is under way any more.
func (s *session) logout(conv Conversation) {
	if conv == nil {
		return
	}
	s.calls.Lock()
	defer s.calls.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.b.timing.LogoutTimeout)
	defer cancel()
	if err := conv.Logout(ctx); err != nil {
		s.b.logger.Debug("upstream logout failed", "session", s.id, "error", err)
	}
}
