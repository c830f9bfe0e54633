package broker

import (
	"context"
	"errors"
	"slices"
	"sync"

	"rollcall/domain"
)

// Postman takes messages for sessions that sleep: that are live, and have no
// conversation since the broker started, because their devices have not come back
// yet.
type Postman interface {
	// Deposit puts a message into the mailboxes of the sessions that sleep under
	// an account of a service of that kind. kept tells that it is durable with
	// one of them at least; without an error and false there is none. Where
	// one of them has no room for it that is an [ErrInboxFull], and where the
	// broker stops an [ErrStopped]: then there may be some.
	Deposit(ctx context.Context, kind domain.Kind, account string, m MessageReceived) (kept bool, err error)
}

// Sheltered is a [Connector] whose server has nobody but the broker to keep
// messages for who is away. It is given the postman before it is used.
type Sheltered interface{ Shelter(Postman) }

// sleepers are the sessions that sleep, by who they are for upstream. It is safe
// for concurrent use.
type sleepers struct {
	mu     sync.RWMutex
	asleep map[sleeper][]domain.SessionID
	names  map[domain.SessionID]sleeper
}

type sleeper struct {
	kind    domain.Kind
	account string
}

// findSleepers notes every session that is live when the broker starts.
func (t *turn) findSleepers(into *sleepers) {
	names := t.directory().accountNames()
	into.mu.Lock()
	defer into.mu.Unlock()
	into.asleep, into.names = make(map[sleeper][]domain.SessionID), make(map[domain.SessionID]sleeper)
	for seat := range t.ledger().Seats() {
		service, _ := t.ledger().Service(seat.Service)
		if name := names[seat.Account]; seat.Live && name != "" {
			who := sleeper{service.Settings.Kind, name}
			into.asleep[who] = append(into.asleep[who], seat.Session)
			into.names[seat.Session] = who
		}
	}
}

// of gives the sessions that sleep under an account.
func (l *sleepers) of(who sleeper) []domain.SessionID {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.asleep[who])
}

// wake forgets a session that sleeps no longer, or is over.
func (l *sleepers) wake(id domain.SessionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who, ok := l.names[id]
	if !ok {
		return
	}
	delete(l.names, id)
	l.asleep[who] = slices.DeleteFunc(l.asleep[who], func(other domain.SessionID) bool { return other == id })
	if len(l.asleep[who]) == 0 {
		delete(l.asleep, who)
	}
}

// Deposit implements [Postman].
func (b *Broker) Deposit(ctx context.Context, kind domain.Kind, account string, m MessageReceived) (kept bool, err error) {
	if !b.isOpen() {
		return false, ErrStopped
	}
	var full error
	for _, id := range b.sleepers.of(sleeper{kind, account}) {
		s, err := b.sleeping(ctx, id)
		if err != nil {
			return kept, err
		}
		if s == nil {
			b.sleepers.wake(id)
			continue
		}
		ok, err := s.deposit(m)
		if err != nil && !errors.Is(err, ErrInboxFull) {
			return kept, err
		}
		if err != nil {
			full = err // and yet another may have had it before
		}
		kept = kept || ok
	}
	return kept, full
}

// sleeping gives a session by its seat; nil where it is over, and [ErrStopped] where
// nobody can tell any more.
func (b *Broker) sleeping(ctx context.Context, id domain.SessionID) (s *session, err error) {
	if !b.enter() {
		return nil, ErrStopped
	}
	defer b.leave()
	var stopped error
	err = b.seq.look(ctx, func(t *turn) {
		if seat, ok := t.ledger().Seat(id); ok && seat.Live {
			if s = b.asleep(t, seat); s == nil {
				stopped = ErrStopped
			}
		}
	})
	return s, errors.Join(err, stopped)
}

// deposit keeps a message for a session that may have no conversation. Where that is
// taken down there is nothing to keep it for, unless the broker stops: then it goes on
// with the next one.
func (s *session) deposit(m MessageReceived) (kept bool, err error) {
	if s.holdMailbox() == nil {
		kept, err = s.keepNow(m)
	}
	if !kept && err == nil && !s.b.isOpen() {
		return false, ErrStopped
	}
	return kept, err
}
