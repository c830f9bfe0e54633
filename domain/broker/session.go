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
// is taken before a mailbox's lock, and that before mu.
type session struct {
	b       *Broker
	id      domain.SessionID
	device  domain.DeviceID
	account domain.AccountID
	service domain.ServiceID
	key     [keySize]byte // the device's public key

	// resuming is full while a resume is under way.
	resuming chan struct{}
	// calls is held while conv is called: for as long as upstream takes, in
	// which mu stays free for what comes from there.
	calls sync.Mutex
	call  call
	sent  sentMemory // calls' own

	mu       sync.Mutex
	over     bool
	parting  bool // the broker stops
	secret   secretDigest
	conv     Conversation // nil until the upstream login is through
	taken    uint64       // the latest upstream event that is safe here
	box      *mailbox     // nil until the session fills it
	kept     bool         // the inbox holds the mailbox
	yielded  bool         // it is the device's next session that fills it
	answered bool         // the device logs out, and has heard all answers
	outbox   outbox
	news     news
	used     time.Duration   // when the device was last used
	interval time.Duration   // of status messages
	paced    domain.Position // of the log, whose settings that follows

	link      Link // nil while there is none
	said      []ToDevice
	writing   bool          // somebody writes to the link
	written   chan struct{} // closed when nobody does any more; made by whoever waits for that
	fence     uint32
	heard     time.Duration
	uncovered bool // coverage-lost is on record
	ungrace   func() bool
}

// newSession gives the session of a seat, with no link and no conversation yet.
// From when it is in the broker's table on, pace follows its service's settings.
func (b *Broker) newSession(t *turn, seat domain.Seat) *session {
	service, _ := t.ledger().Service(seat.Service)
	s := &session{
		b: b, id: seat.Session, device: seat.Device, account: seat.Account, service: seat.Service,
		key: b.dir.key(seat.Device), fence: seat.Fence, uncovered: seat.Live && !seat.Covered,
		interval: b.statusInterval(service.Settings), paced: t.ledger().Position(),
		resuming: make(chan struct{}, 1),
	}
	s.news.restart()
	return s
}

// attachment is a session as one of its links drives it.
type attachment struct {
	*session
	link Link
}

var (
	_ Session = attachment{}
	_ Refuser = (*session)(nil)
)

// begin makes the conversation and the first link of a session live. It gives
// false where the session has ended meanwhile.
func (s *session) begin(conv Conversation, secret []byte, link Link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.join(conv, secret)
	s.fence = 1
	s.news.begin(s.news.epoch, 0)
	s.attach(link, Accepted{
		Session: s.id, Resume: secret, StatusInterval: s.interval, Fence: s.fence,
		Received: s.outbox.acked, Epoch: s.news.epoch,
	})
	return true
}

// join takes a conversation, and tells it what has been taken in already. The
// lock is held.
func (s *session) join(conv Conversation, secret []byte) {
	s.conv, s.secret = conv, digest(secret)
	if s.taken > 0 {
		conv.Acknowledge(s.taken)
	}
}

// attach lets link speak for the session, greets it, and sends what is due. The
// lock is held, and let go of meanwhile.
func (s *session) attach(link Link, greeting ToDevice) {
	if s.link != nil {
		s.link.Close()
	}
	s.stopGrace()
	s.link, s.said = link, []ToDevice{greeting}
	s.hear()
	s.use()
	s.flush()
}

// hear notes that the device was heard of. The lock is held.
func (s *session) hear() {
	s.heard = s.b.clock.Elapsed()
	s.b.seq.touch(s.id, s.b.clock.Now())
}

// Receive hands in a message from the device, see [Session].
func (a attachment) Receive(ctx context.Context, m FromDevice) error {
	s := a.session
	s.calls.Lock()
	defer s.calls.Unlock()
	conv, err := a.listen(ctx)
	if ack, is := m.(Ack); is && errors.Is(err, ErrSessionOver) {
		s.acknowledgeLate(ctx, ack.Number)
	}
	if err != nil {
		return over(err)
	}
	switch m := m.(type) {
	case Status:
		s.status(m)
	case Ack:
		s.acknowledge(m.Number)
	case Send:
		s.sendUpstream(conv, m)
	case SetPresence:
		s.setPresence(conv, m.Presence)
	case Logout:
		return over(s.leave(ctx, m.Answered))
	}
	return nil
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
	if s.over || s.parting {
		return nil, ErrSessionOver
	}
	if s.link != a.link {
		s.b.counters.olderLinks.Add(1)
		return nil, ErrLinkReplaced
	}
	s.hear()
	return s.conv, s.regainCoverage(ctx)
}

// status takes in that the device is there, and whether it is used.
func (s *session) status(m Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.InUse {
		s.use()
		s.flush()
	}
}

// acknowledge forgets the letters that are safe with the device, and sends on.
func (s *session) acknowledge(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outbox.ack(number) {
		s.forget()
		s.flush()
	}
}

// acknowledgeLate takes an acknowledgement that was on its way while the session
// ended.
func (s *session) acknowledgeLate(ctx context.Context, number uint64) {
	if e, ok, err := s.b.endedOnRecord(ctx, s.id, s.device); ok && err == nil {
		s.b.settleLate(ctx, e, number)
	}
}

// setPresence tells upstream how the person is. calls is held.
func (s *session) setPresence(conv Conversation, p OwnPresence) {
	s.mu.Lock()
	s.use()
	s.flush()
	s.mu.Unlock()
	ctx, done := s.call.begin(context.Background(), s.b.timing.SendTimeout)
	defer done()
	if err := conv.SetPresence(ctx, p); err != nil {
		s.b.logger.Debug("presence not sent", "session", s.id, "error", err)
	}
}

// leave records that the device logs out. The lock is not held.
func (s *session) leave(ctx context.Context, answered bool) error {
	s.mu.Lock()
	s.answered = answered
	s.mu.Unlock()
	return s.finish(ctx, domain.EndLogout, "")
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

// Deliver takes what comes from upstream, see [Sink]. Upstream hears that it was
// received once it is safe here: messages in the inbox, all else in memory, since
// that comes again with the next login.
func (s *session) Deliver(seq uint64, e UpstreamEvent) {
	switch e := e.(type) {
	case Closed:
		s.upstreamClosed(e.Err)
		return
	case MessageReceived:
		if s.keep(e) {
			s.took(seq)
		}
		return
	default:
		s.inform(e)
	}
	s.took(seq)
}

// Offer is Deliver without waiting for room, see [Refuser].
func (s *session) Offer(seq uint64, m MessageReceived) error {
	kept, err := s.keepNow(m)
	if kept {
		s.took(seq)
	}
	return err
}

// took tells upstream that what it has delivered is safe.
func (s *session) took(seq uint64) {
	s.mu.Lock()
	s.taken = max(s.taken, seq)
	conv := s.conv
	s.mu.Unlock()
	if conv != nil { // else once it is known
		conv.Acknowledge(seq)
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
	conv := s.close(n)
	s.b.unregister(s)
	s.logout(conv)
	s.leaveMailbox(n.Cause)
}

// close marks the session as over, and closes its link, after saying goodbye if
// there is such a message.
func (s *session) close(goodbye ToDevice) Conversation {
	s.call.giveUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil
	}
	s.over = true
	s.stopGrace()
	s.outbox.rest()
	s.news = news{}
	s.said = nil
	if goodbye != nil {
		s.said = []ToDevice{goodbye}
	}
	conv := s.conv
	s.flush()
	return conv
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
