package broker

import (
	"context"
	"errors"
	"time"

	"rollcall/domain"
)

// Login decides on a login and sees it through, see [Devices].
func (b *Broker) Login(ctx context.Context, login Login, link Link) (Session, error) {
	if !b.enter() {
		return nil, ErrStopped
	}
	defer b.leave()
	away, err := b.turnstile.pass(ctx, login.Device)
	if err != nil {
		return nil, err
	}
	if away > 0 {
		return nil, link.Send(Rejected{Code: domain.RejectBackedOff, RetryAfter: away, Text: tooOften})
	}
	attempt, rejected, err := b.requestLogin(ctx, login)
	if err != nil {
		return nil, err
	}
	if rejected != nil {
		return nil, link.Send(*rejected)
	}
	s := attempt.session
	var conv Conversation
	if err = s.openMailbox(ctx, 0); err == nil {
		conv, err = b.connect(ctx, attempt)
	}
	if err != nil {
		return nil, b.refuse(s, err, link)
	}
	secret, err := b.accept(ctx, s.id, login)
	if err == nil && s.begin(conv, secret, link) {
		return attachment{s, link}, nil
	}
	return nil, b.abandon(s, conv, err, link)
}

// abandon gives up a login whose session ended, or whose broker stopped, while
// its upstream login went through. A session that is on record is ended there
// too: its device was never told of it.
func (b *Broker) abandon(s *session, conv Conversation, cause error, link Link) error {
	s.close(nil)
	b.unregister(s)
	s.logout(conv)
	s.leaveMailbox(b.causeOf(s))
	if cause == nil {
		cause = s.finish(context.Background(), domain.EndUpstreamClosed, "")
	}
	if cause != nil && !errors.Is(cause, domain.ErrUnknownSession) {
		return cause
	}
	return link.Send(interrupted(s.id))
}

// causeOf gives how the session ended, as far as that is on record; else zero.
func (b *Broker) causeOf(s *session) domain.EndCause {
	e, _ := b.dir.ended(s.id, s.device)
	return e.cause
}

// attempt is a login that has been given a seat, or a session that wakes.
type attempt struct {
	session  *session
	service  domain.ServiceID
	upstream UpstreamLogin
}

// fullRetry is when a device shall try again that found the log full, and diskFull what
// it is told.
const (
	fullRetry = time.Minute
	diskFull  = "the server's disk is full"
)

// requestLogin has the login decided: it gives an attempt, or the refusal.
func (b *Broker) requestLogin(ctx context.Context, login Login) (a *attempt, rejected *Rejected, err error) {
	err = b.seq.begin(ctx, func(t *turn) error {
		service, account := t.resolve(login)
		records, err := t.decide(domain.RequestLogin{At: t.now, Device: login.Device, Service: service.ID, Account: account})
		if err != nil {
			return err
		}
		t.noteLogin(records[0].Position, login, service.ID, account)
		last := records[len(records)-1].Event
		if e, ok := last.(*domain.LoginRejected); ok {
			rejected = &Rejected{Session: e.Session, Code: e.Code, RetryAfter: e.RetryAfter.Or(0)}
			return nil
		}
		seat, _ := t.ledger().Seat(domain.SessionID(records[0].Position))
		a = b.newAttempt(t, seat, login, service)
		if !b.register(a.session) {
			_, err = t.decide(domain.RejectLogin{At: t.now, Session: a.session.id, Code: domain.RejectInterrupted})
			return errors.Join(ErrStopped, err)
		}
		return nil
	})
	if errors.Is(err, domain.ErrDeviceRevoked) || errors.Is(err, domain.ErrUnknownDevice) { // since it opened its link
		return nil, &Rejected{Code: domain.RejectNotPermitted, Text: err.Error()}, nil
	}
	if errors.Is(err, domain.ErrLogFull) {
		return nil, &Rejected{Code: domain.RejectInterrupted, RetryAfter: fullRetry, Text: diskFull}, nil
	}
	return a, rejected, err
}

// resolve finds what the device's names mean; zero where they mean nothing.
func (t *turn) resolve(login Login) (service domain.Service, account domain.AccountID) {
	service, ok := t.ledger().ServiceNamed(login.Service)
	if !ok {
		return service, 0
	}
	device, _ := t.ledger().Device(login.Device)
	return service, t.directory().account(device.Person, service.ID, login.Account)
}

// noteLogin keeps beside the login where it came from, and the names it asked
// for that mean nothing here.
func (t *turn) noteLogin(p domain.Position, login Login, service domain.ServiceID, account domain.AccountID) {
	t.side(p, domain.SideAddress, []byte(login.Address))
	if account == 0 {
		t.side(p, domain.SideAccountName, []byte(login.Account))
	}
	if service == 0 {
		t.side(p, domain.SideServiceName, []byte(login.Service))
	}
}

func (b *Broker) newAttempt(t *turn, seat domain.Seat, login Login, service domain.Service) *attempt {
	s := b.newSession(t, seat)
	return &attempt{
		session: s, service: service.ID,
		upstream: UpstreamLogin{Session: s.id, Settings: service.Settings, Account: login.Account, Password: login.Password},
	}
}

// connect logs in upstream, within the bounds of time and number. It is given up
// when ctx is done or the session ends. Every error is an *UpstreamError, or that
// of a login which nobody waits for any more.
func (b *Broker) connect(ctx context.Context, a *attempt) (Conversation, error) {
	connector := b.connectors[a.upstream.Settings.Kind]
	if connector == nil {
		return nil, &UpstreamError{Code: domain.RejectUpstreamRefused, Text: "this server has no connector for " + string(a.upstream.Settings.Kind)}
	}
	bounded, done := a.session.call.begin(ctx, b.timing.LoginTimeout)
	defer done()
	leave, err := b.queueUp(bounded, a.service)
	if err != nil {
		return nil, a.loginError(ctx, err)
	}
	defer leave()
	conv, err := connector.Login(bounded, a.upstream, a.session)
	if err == nil && (ctx.Err() != nil || a.session.call.givenUp()) { // it came too late
		a.session.logout(conv)
		err = context.Canceled
	}
	if err != nil {
		return nil, a.loginError(ctx, err)
	}
	return conv, nil
}

// queueUp waits for a place among the logins of a service that are under way.
func (b *Broker) queueUp(ctx context.Context, id domain.ServiceID) (leave func(), err error) {
	place := b.place(id)
	b.counters.waiting.Add(1)
	defer b.counters.waiting.Add(-1)
	select {
	case place <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b.counters.connecting.Add(1)
	return func() {
		b.counters.connecting.Add(-1)
		<-place
	}, nil
}

// place gives what bounds the number of logins of a service: were it one bound
// for all, a server that does not answer would hold up the others' logins.
func (b *Broker) place(id domain.ServiceID) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.places[id] == nil {
		b.places[id] = make(chan struct{}, b.connecting)
	}
	return b.places[id]
}

// loginError tells an upstream that was too slow from a login that was given up.
// A wrong password counts, whether or not anybody waits to hear of it. What it gives
// holds no password.
func (a *attempt) loginError(ctx context.Context, err error) error {
	var refusal *UpstreamError
	refused := errors.As(err, &refusal)
	if refused {
		refusal = a.upstream.withoutPassword(refusal)
	}
	switch {
	case refused && refusal.Code == domain.RejectBadCredentials:
		return refusal
	case ctx.Err() != nil:
		return ctx.Err()
	case a.session.call.givenUp():
		return context.Canceled
	case refused:
		return refusal
	case errors.Is(err, context.DeadlineExceeded):
		return &UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "the server did not answer in time"}
	}
	return a.upstream.withoutPassword(&UpstreamError{Code: domain.RejectUpstreamRefused, Text: err.Error(), Err: err})
}

// refuse records that the login failed upstream, and answers it.
func (b *Broker) refuse(s *session, cause error, link Link) error {
	s.close(nil)
	b.unregister(s)
	answer := interrupted(s.id)
	var refusal *UpstreamError
	upstream := errors.As(cause, &refusal)
	if upstream {
		answer.Code, answer.Text = refusal.Code, brief(refusal.Text)
	}
	err := b.seq.do(context.Background(), func(t *turn) error {
		records, err := t.decide(domain.RejectLogin{At: t.now, Session: s.id, Code: answer.Code})
		if err != nil {
			return err
		}
		e := records[0].Event.(*domain.LoginRejected)
		answer.RetryAfter = e.RetryAfter.Or(0)
		if upstream {
			t.side(domain.Position(s.id), domain.SideUpstreamText, []byte(answer.Text))
		}
		return nil
	})
	if errors.Is(err, domain.ErrUnknownSession) { // it was ended while it waited
		answer, err = interrupted(s.id), nil
	}
	if err != nil {
		return err
	}
	s.leaveMailbox(b.causeOf(s)) // which is durable by now
	return link.Send(answer)
}

func interrupted(id domain.SessionID) Rejected {
	return Rejected{Session: id, Code: domain.RejectInterrupted, Text: "the login was ended before it was through"}
}

// accept records that the session is live, with its credentials sealed beside
// it.
func (b *Broker) accept(ctx context.Context, id domain.SessionID, login Login) (secret []byte, err error) {
	secret = newResumeSecret()
	sealed, err := seal(credentials{login.Account, login.Password}, secret, b.log.ID(), id)
	if err != nil {
		return nil, err
	}
	err = b.seq.do(context.WithoutCancel(ctx), func(t *turn) error {
		if _, err := t.decide(domain.AcceptLogin{At: t.now, Session: id}); err != nil {
			return err
		}
		t.side(domain.Position(id), domain.SideCredentials, sealed)
		return nil
	})
	return secret, err
}
