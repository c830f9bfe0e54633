package device

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// defaultInterval is how often a status is sent if the server does not say.
const defaultInterval = time.Minute

// serve reads from the present link until that is lost (a linkError), or the
// session over. Another goroutine writes meanwhile: were it one, two ends that
// both wait for the other to read would wait for ever.
func (s *Session) serve(ctx context.Context, h Handler) error {
	ch := s.current()
	ctx, cancel := context.WithCancel(ctx)
	written := make(chan error, 1)
	go func() { written <- s.write(ctx, ch) }()
	stop := context.AfterFunc(ctx, func() { ch.conn.Close() })
	err := s.read(ch, h)
	cancel()
	stop()
	ch.conn.Close()
	if failed := <-written; failed != nil && lost(err) {
		return failed // and that is why the link was lost
	}
	return err
}

func (s *Session) read(ch *channel, h Handler) error {
	for {
		var m linkpb.ToDevice
		if err := ch.receive(&m); err != nil {
			return linkError{err}
		}
		answer, err := fromServer(&m)
		if err != nil {
			return linkError{err}
		}
		if err := s.take(answer, h); err != nil {
			return err
		}
	}
}

// take handles one message from the server.
func (s *Session) take(m broker.ToDevice, h Handler) error {
	switch m := m.(type) {
	case broker.Item:
		return s.takeItem(m, h)
	case statePart:
		return s.takeState(m, h)
	case broker.Sent:
		return s.takeSent(m, h)
	case broker.Pace:
		s.setPace(m.StatusInterval)
		return nil
	case broker.ComeBack:
		return linkError{&ComeBackError{m.After}}
	case broker.Notice:
		return &EndedError{Session: domain.SessionID(s.id), Cause: m.Cause, IdledOut: m.IdledOut, Text: m.Text}
	}
	return linkError{malformed("message", fmt.Sprintf("a %T within a session", m))}
}

// takeItem gives an item to the handler, unless that has had it. The writer makes it
// safe and acknowledges it.
func (s *Session) takeItem(item broker.Item, h Handler) error {
	s.mu.Lock()
	received := s.received
	s.mu.Unlock()
	switch {
	case item.Number <= received:
		s.ackAgain(item.Number)
		return nil
	case item.Number-stands(item) > received:
		return linkError{malformed("item", fmt.Sprintf("number %d follows %d", item.Number, received))}
	}
	if sealed, ok := item.Body.(broker.Sealed); ok {
		item.Body = s.client.identity.open(item.Number, sealed)
	}
	if err := h.item(item); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = item.Number
	s.kick()
	return nil
}

// keep makes durable up to where the handler has taken items. Those that come
// meanwhile wait for the next time: the faster they come, the more of them share
// one.
func (s *Session) keep() error {
	s.mu.Lock()
	received, kept := s.received, s.kept
	s.mu.Unlock()
	if received == kept {
		return nil
	}
	if err := s.client.identity.note(note{Service: s.service, Session: s.id, Received: received}, true); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = received
	return nil
}

// stands gives for how many numbers an item stands, up to and including its own.
func stands(item broker.Item) uint64 {
	dropped, ok := item.Body.(broker.Dropped)
	if !ok {
		return 1
	}
	return min(max(dropped.Count, 1), item.Number)
}

// item hands an item to the handler.
func (h Handler) item(item broker.Item) error {
	if h.Item == nil {
		return nil
	}
	return h.Item(item)
}

// ackAgain has an item acknowledged once more that the server sent once more.
func (s *Session) ackAgain(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said.acked = min(s.said.acked, number-1)
	s.kick()
}

// takeSent drops the message that was answered. An answer to one that is not
// waited for is the answer to one that was sent twice.
func (s *Session) takeSent(m broker.Sent, h Handler) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.outbox, func(o broker.Send) bool { return o.ID == m.ID })
	s.mu.Unlock()
	if i < 0 {
		return nil
	}
	if h.Sent != nil {
		h.Sent(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbox = slices.Delete(s.outbox, i, i+1)
	if i < s.said.sends {
		s.said.sends--
	}
	s.kick()
	// If that is lost the message is sent again, and answered again.
	return s.client.identity.note(note{Service: s.service, Session: s.id, Sent: m.ID}, false)
}

// write says what there is to say, and a status at each interval, until ctx
// ends or the link breaks, which it then closes. An error is one of the disk.
func (s *Session) write(ctx context.Context, ch *channel) error {
	defer ch.conn.Close()
	status := time.NewTicker(s.statusInterval())
	defer status.Stop()
	for {
		if s.paced() {
			status.Reset(s.statusInterval())
			if ch.send(toServer(s.status()), 0) != nil {
				return nil
			}
		}
		if err := s.sayAll(ch); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-status.C:
			if ch.send(toServer(s.status()), 0) != nil {
				return nil
			}
		}
	}
}

// sayAll says what there is to say. Where the link breaks it closes that.
func (s *Session) sayAll(ch *channel) error {
	for {
		if err := s.keep(); err != nil {
			return err
		}
		m := s.next()
		if m == nil {
			return nil
		}
		if ch.send(toServer(m), 0) != nil {
			ch.conn.Close() // the reader sees it
			return nil
		}
	}
}

// minInterval bounds how often a server can have a device report.
const minInterval = 200 * time.Millisecond

func (s *Session) statusInterval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(or(s.interval, defaultInterval), minInterval)
}

// setPace takes the interval that the server asks for from now on.
func (s *Session) setPace(interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interval, s.newPace = interval, true
	s.kick()
}

// paced tells, once, that the server has asked for another interval.
func (s *Session) paced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	paced := s.newPace
	s.newPace = false
	return paced
}

// next gives what is to be said next, and counts it as said; nil if there is
// nothing. Acknowledgements go first, a logout last, unless it has waited before.
func (s *Session) next() broker.FromDevice {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.logout.waited && !s.said.logout:
		s.said.logout = true
		return broker.Logout{Answered: len(s.outbox) == 0}
	case s.said.acked < s.kept:
		s.said.acked = s.kept
		return broker.Ack{Number: s.kept}
	case s.presence != nil && !s.said.presence:
		s.said.presence = true
		s.use.tell()
		return broker.SetPresence{Presence: *s.presence}
	case s.said.sends < len(s.outbox) && !s.said.logout:
		s.said.sends++
		s.use.tell()
		return s.outbox[s.said.sends-1]
	case s.use.urgent():
		s.use.tell()
		return broker.Status{InUse: true}
	case s.logout.asked && !s.said.logout && len(s.outbox) == 0:
		s.said.logout = true
		return broker.Logout{Answered: true}
	}
	return nil
}
