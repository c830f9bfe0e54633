package broker

import (
	"context"
	"errors"

	"rollcall/domain"
)

// Resume takes a session up on a new link, see [Devices].
func (b *Broker) Resume(ctx context.Context, r Resume, link Link) (Session, error) {
	if !b.enter() {
		return nil, ErrStopped
	}
	defer b.leave()
	away, err := b.turnstile.pass(ctx, r.Device)
	if err != nil {
		return nil, err
	}
	if away > 0 {
		return nil, link.Send(ResumeRefused{Session: r.Session, RetryAfter: away, Text: tooOften})
	}
	s, service, err := b.find(ctx, r)
	if err != nil {
		return nil, b.refuseResume(ctx, r, 0, err, link)
	}
	select {
	case s.resuming <- struct{}{}:
		defer func() { <-s.resuming }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := s.wake(ctx, r, service); err != nil {
		return nil, b.refuseResume(ctx, r, service.ID, err, link)
	}
	if err := s.resume(ctx, r, link); err != nil {
		return nil, b.refuseResume(ctx, r, service.ID, err, link)
	}
	return attachment{s, link}, nil
}

// find gives the session, which may still have to be woken, and its service with
// the settings that it has now.
func (b *Broker) find(ctx context.Context, r Resume) (s *session, service domain.Service, err error) {
	var gone error
	err = b.seq.look(ctx, func(t *turn) {
		seat, ok := t.ledger().Seat(r.Session)
		if !ok || !seat.Live || seat.Device != r.Device {
			gone = domain.ErrUnknownSession
			return
		}
		service, _ = t.ledger().Service(seat.Service)
		if s = b.asleep(t, seat); s == nil {
			gone = ErrStopped
		}
	})
	return s, service, errors.Join(err, gone)
}

// wake logs a session in upstream again if it has no conversation, with the
// credentials that the device's secret unseals. It holds resuming.
func (s *session) wake(ctx context.Context, r Resume, service domain.Service) error {
	s.mu.Lock()
	awake, over := s.conv != nil, s.over
	s.mu.Unlock()
	if over {
		return domain.ErrUnknownSession
	}
	if awake {
		return nil
	}
	c, err := s.credentials(ctx, r.Secret)
	if err != nil {
		return err
	}
	if err := s.awaitTurn(ctx); err != nil {
		return err
	}
	if err := s.openMailbox(ctx, r.Received); err != nil {
		return err
	}
	s.mu.Lock()
	s.taken = 0
	s.news.restart()
	s.mu.Unlock()
	return s.reconnect(ctx, r.Secret, &attempt{
		session: s, service: service.ID,
		upstream: UpstreamLogin{Session: s.id, Settings: service.Settings, Account: c.Account, Password: c.Password},
	})
}

// credentials unseals what was kept beside the session.
func (s *session) credentials(ctx context.Context, secret []byte) (credentials, error) {
	key := domain.SideKey{Position: domain.Position(s.id), Kind: domain.SideCredentials}
	sealed, ok, err := s.b.log.Side(ctx, key)
	if err != nil {
		return credentials{}, err
	}
	if !ok {
		return credentials{}, domain.ErrUnknownSession
	}
	return unseal(sealed, secret, s.b.log.ID(), s.id)
}

// reconnect logs in upstream with credentials that had been accepted before.
func (s *session) reconnect(ctx context.Context, secret []byte, a *attempt) error {
	s.b.counters.relogins.Add(1)
	conv, err := s.b.connect(ctx, a)
	if err != nil && s.call.givenUp() {
		return domain.ErrUnknownSession
	}
	if err != nil {
		return err
	}
	s.b.ramps.reached(s.service)
	s.b.sleepers.wake(s.id)
	if !s.adopt(conv, secret) {
		s.logout(conv)
		return domain.ErrUnknownSession
	}
	return nil
}

// adopt takes a conversation; false where the session has ended meanwhile.
func (s *session) adopt(conv Conversation, secret []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.join(conv, secret)
	}
	return !s.over
}

// resume raises the fence and lets the new link speak, unless that is gone by
// now: then a yet newer one may be there.
func (s *session) resume(ctx context.Context, r Resume, link Link) error {
	s.calls.Lock()
	defer s.calls.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return domain.ErrUnknownSession
	case !s.secret.fits(r.Secret):
		return errUnseal
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if s.uncovered {
		if err := s.recordResume(ctx); err != nil {
			return err
		}
	}
	s.fence++
	s.uncovered = false
	s.outbox.rewind(r.Received)
	s.forget()
	s.news.begin(r.Epoch, r.State)
	s.attach(link, Resumed{Session: s.id, Fence: s.fence, StatusInterval: s.interval, Epoch: s.news.epoch})
	return nil
}

// recordResume records the return of a device whose loss is on record. The lock
// is held. Where there is no room it gives [domain.ErrLogFull].
func (s *session) recordResume(ctx context.Context) error {
	return s.b.seq.finish(context.WithoutCancel(ctx), func(t *turn) error {
		_, err := t.decide(domain.ResumeSession{At: t.now, Session: s.id, Device: s.device, Fence: s.fence + 1})
		return err
	})
}

// refuseResume answers a resume that came to nothing. Where the broker itself
// cannot go on it gives the error instead: the session then seems to be over, and
// is not.
func (b *Broker) refuseResume(ctx context.Context, r Resume, service domain.ServiceID, cause error, link Link) error {
	if !b.isOpen() {
		return ErrStopped
	}
	answer := ResumeRefused{Session: r.Session}
	var refusal *UpstreamError
	var later *laterError
	switch {
	case errors.As(cause, &later):
		answer.RetryAfter, answer.Text = later.after, later.Error()
	case errors.Is(cause, domain.ErrLogFull):
		answer.RetryAfter, answer.Text = fullRetry, diskFull
	case errors.Is(cause, domain.ErrUnknownSession), errors.Is(cause, errUnseal):
		if err := b.explainEnd(ctx, r, &answer); err != nil {
			return err
		}
	case errors.As(cause, &refusal) && refusal.Code == domain.RejectBadCredentials:
		if err := b.endUnresumable(r.Session, refusal); err != nil {
			return err
		}
		answer.Ended, answer.Cause, answer.Text = true, domain.EndResumeFailed, brief(refusal.Text)
	case errors.As(cause, &refusal):
		answer.RetryAfter, answer.Text = b.ramps.missed(service), brief(refusal.Error())
	default:
		return cause
	}
	return link.Send(answer)
}

// explainEnd tells how the session ended, as far as that is still known to be
// this device's.
func (b *Broker) explainEnd(ctx context.Context, r Resume, answer *ResumeRefused) error {
	e, ok, err := b.endedOnRecord(ctx, r.Session, r.Device)
	if err != nil {
		return err
	}
	answer.Ended, answer.Text = true, "no such session of this device"
	if ok {
		answer.Cause, answer.IdledOut, answer.Text = e.cause, e.idledOut, ""
		b.settleLate(ctx, e, r.Received)
	}
	return nil
}

// endedOnRecord gives how a session of that device ended, once that is durable: it
// may only be decided, and after a crash the session would go on.
func (b *Broker) endedOnRecord(ctx context.Context, id domain.SessionID, device domain.DeviceID) (e ending, ok bool, err error) {
	if e, ok = b.dir.ended(id, device); ok {
		err = b.seq.settled(ctx)
	}
	return e, ok, err
}

// endUnresumable ends a session whose credentials upstream no longer takes.
func (b *Broker) endUnresumable(id domain.SessionID, refusal *UpstreamError) error {
	err := b.seq.do(context.Background(), func(t *turn) error {
		_, err := t.decide(domain.EndSession{At: t.now, Session: id, Cause: domain.EndResumeFailed})
		if err != nil {
			return err
		}
		t.side(domain.Position(id), domain.SideUpstreamText, []byte(brief(refusal.Text)))
		return nil
	})
	if errors.Is(err, domain.ErrUnknownSession) {
		return nil
	}
	return err
}
