package device

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// Handler takes what happens in a session. Its functions are called by
// [Session.Run], one at a time; each may be nil.
type Handler struct {
	// Item takes the next item: in order, each once, also over lost links. Its body
	// is a [broker.MessageReceived], a [broker.Dropped] or an [Unreadable].
	// After it has returned nil the item is acknowledged and never comes again;
	// if the process dies before that, it does. An error ends Run.
	Item func(broker.Item) error
	// State takes news of the roster and of contacts. A [broker.RosterReceived]
	// replaces all that was told before. An error ends Run.
	State func(broker.State) error
	// Sent tells how a message of [Session.Send] came out.
	Sent func(broker.Sent)
	// Coverage tells that the link is there, or lost and why, or that an attempt
	// to come back failed. A *[ComeBackError] tells that the server asked for it.
	Coverage func(covered bool, err error)
}

// Session is a device's session on a service. Its methods are safe for
// concurrent use, but Run is called once.
type Session struct {
	client  *Client
	service string
	account string
	id      uint64
	secret  []byte
	wake    chan struct{} // tells the writer that there is something to say

	mu       sync.Mutex
	link     *channel // nil while out of coverage
	interval time.Duration
	newPace  bool          // the interval has changed on the present link
	received uint64        // the highest number of an item that the handler has taken
	kept     uint64        // the highest number of those that the disk knows of
	news     news          // up to which state has been heard
	outbox   []broker.Send // what is not answered, oldest first
	said     said          // what the server was told on this link
	presence *broker.OwnPresence
	use      use
	logout   logout
}

// said is what has been sent on the present link.
type said struct {
	sends    int // how many of the outbox
	acked    uint64
	presence bool
	logout   bool
}

// maxOutbox is how many messages may wait for the server's answer.
const maxOutbox = 1000

func newSession(c *Client, service string, s savedSession, ch *channel, interval time.Duration) *Session {
	n := &Session{
		client: c, service: service, account: s.Account, id: s.Session, secret: s.Secret,
		received: s.Received, kept: s.Received, link: ch, interval: interval, wake: make(chan struct{}, 1),
	}
	n.said.acked = s.Received
	for _, m := range s.Outbox {
		n.outbox = append(n.outbox, broker.Send(m))
	}
	return n
}

// ID gives the session's name.
func (s *Session) ID() domain.SessionID { return domain.SessionID(s.id) }

// Service gives the name of the session's service.
func (s *Session) Service() string { return s.service }

// Account gives the name of the session's account.
func (s *Session) Account() string { return s.account }

// Unanswered gives how many messages wait for the server's answer. Those of a
// session that is over wait for the next login to its account.
func (s *Session) Unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.outbox)
}

// Send sends a message, now or when there is coverage again, and gives the id
// under which [Handler].Sent tells how it came out. On return the message is
// safe on the disk: it is sent again, under the same id, until it is answered; if
// the session ends before that, by the next one with the account.
func (s *Session) Send(to, body string) (id string, err error) {
	m := broker.Send{ID: uuid.NewString(), To: to, Body: body}
	return m.ID, s.SendAs(m)
}

// SendAs is [Session.Send] with an id of the caller's own, which must be new.
func (s *Session) SendAs(m broker.Send) error {
	m.To, m.Body = valid(m.To), valid(m.Body)
	if err := checkSend(m); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.outbox) >= maxOutbox:
		return ErrOutboxFull
	case slices.ContainsFunc(s.outbox, func(o broker.Send) bool { return o.ID == m.ID }):
		return ErrSameID
	}
	saved := savedSend(m)
	if err := s.client.identity.note(note{Service: s.service, Session: s.id, Send: &saved}, true); err != nil {
		return err
	}
	s.outbox = append(s.outbox, m)
	s.kick()
	return nil
}

// SetPresence tells the contacts how the person is, now or when there is
// coverage again; only the latest counts.
func (s *Session) SetPresence(p broker.OwnPresence) error {
	p.Text = valid(p.Text)
	if _, err := fromSetPresence(toServer(broker.SetPresence{Presence: p}).GetSetPresence()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.presence, s.said.presence = &p, false
	s.kick()
	return nil
}

// Logout asks the server to end the session, now or when there is coverage
// again: once what was sent before is answered, or three seconds later; see
// [Session.Unanswered]. Run returns nil once the server has.
func (s *Session) Logout() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logout.asked = true
	s.awaitAnswers()
}

func (s *Session) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run keeps the session going until it is over: it reads what comes, sends what
// is to be sent and a status at each interval, and resumes after a lost link. It
// gives nil after a logout, an *[EndedError] if the broker ended the session, a
// *[NoCoverageError] after [Options].GiveUp, the handler's error, or ctx's. In
// the last three cases the session can be resumed. The link is closed on return.
func (s *Session) Run(ctx context.Context, h Handler) error {
	defer s.setLink(nil, 0)
	err := s.run(ctx, h)
	if failed := s.keep(); failed != nil {
		err = errors.Join(err, failed)
	}
	return s.outcome(err)
}

func (s *Session) run(ctx context.Context, h Handler) error {
	var (
		after time.Duration
		short int // how many links in a row did not last
	)
	for {
		if s.current() == nil {
			if err := s.keep(); err != nil { // the server forgets what it hears of
				return err
			}
			if err := s.comeBack(ctx, h, after); err != nil {
				return err
			}
		}
		h.covered(true, nil)
		began := time.Now()
		err := s.serve(ctx, h)
		s.setLink(nil, 0)
		switch {
		case !lost(err):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case s.heldUp():
			after = 0
			continue
		}
		if time.Since(began) >= s.client.options.LongestPause {
			short = 0
		}
		after = max(asked(err), s.client.options.rest(short))
		short++
		h.covered(false, err)
	}
}

// asked gives how long to stay away where the link was lost because the server
// asked for that.
func asked(err error) time.Duration {
	var back *ComeBackError
	if !errors.As(err, &back) {
		return 0
	}
	return obey(back.After)
}

// linkError is a fault of the link only: the session can be resumed.
type linkError struct{ error }

func (e linkError) Unwrap() error { return e.error }

func lost(err error) bool { return errors.As(err, new(linkError)) }

// outcome forgets a session that is over, and gives nil for a logout.
func (s *Session) outcome(err error) error {
	var ended *EndedError
	if !errors.As(err, &ended) {
		return err
	}
	if err := s.client.identity.forget(s.service, s.id); err != nil {
		return errors.Join(ended, err)
	}
	if ended.Cause == domain.EndLogout || s.loggedOut(ended) {
		return nil
	}
	return ended
}

// loggedOut tells that the session is over as was asked for, but that the notice
// of it was lost, and the server no longer knows the session.
func (s *Session) loggedOut(ended *EndedError) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logout.asked && ended.Cause == 0 && !ended.IdledOut
}

func (h Handler) covered(covered bool, err error) {
	if h.Coverage != nil {
		h.Coverage(covered, err)
	}
}

func (s *Session) current() *channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// setLink puts a new link, or none, in the place of the present one, which it
// closes. On a new link everything unanswered has to be said again.
func (s *Session) setLink(ch *channel, interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		s.link.conn.Close()
	}
	s.link, s.interval = ch, interval
	s.said = said{acked: s.kept}
	s.news.roster, s.news.parts = nil, 0
	s.logout.stop()
	s.awaitAnswers()
	s.kick()
}
