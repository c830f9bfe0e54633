package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
)

// After a restart every session has to be logged in upstream again when its device
// returns. These logins come as a ramp, not as a wall: each service takes so many
// at once and then so many a second; some wait here for their turn, and the others
// are told when to come back.
const (
	wakingBurst = 64
	wakingEvery = 5 * time.Millisecond
	// wakingPatience is how long a resume waits here for its turn.
	wakingPatience = 5 * time.Second
	// A server that cannot be reached is tried again after as long as it has
	// been away, within these bounds.
	minAway = 15 * time.Second
	maxAway = 5 * time.Minute
)

// ramps hold the wakings of each service to a rate. They are safe for concurrent
// use.
type ramps struct {
	rate  Rate
	clock Clock

	mu       sync.Mutex
	services map[domain.ServiceID]*ramp
}

// ramp is what is known of one service.
type ramp struct {
	paid     time.Time   // the time up to which the rate is used up
	free     []time.Time // turns that were given up, and are still to come
	promised time.Time   // the time up to which devices were told to return
	away     time.Time   // since when the server cannot be reached; zero while it can
}

func newRamps(rate Rate, clock Clock) *ramps {
	if rate.Every == 0 {
		rate.Every = wakingEvery
	}
	if rate.Burst == 0 {
		rate.Burst = wakingBurst
	}
	return &ramps{rate: rate, clock: clock, services: make(map[domain.ServiceID]*ramp)}
}

// laterError tells a device to come back for its session.
type laterError struct{ after time.Duration }

func (e *laterError) Error() string {
	return fmt.Sprintf("many devices are coming back; it is this one's turn in %v", e.after.Round(time.Second))
}

// pass waits for a turn to log in to the service, or gives a *laterError.
func (r *ramps) pass(ctx context.Context, id domain.ServiceID) error {
	if r.rate.Every < 0 {
		return nil
	}
	turn, wait, err := r.reserve(id)
	if err != nil || wait <= 0 {
		return err
	}
	ready := make(chan struct{})
	defer r.clock.AfterFunc(wait, func() { close(ready) })()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		r.giveUp(id, turn)
		return ctx.Err()
	}
}

// giveUp leaves a turn to whoever comes next.
func (r *ramps) giveUp(id domain.ServiceID, turn time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.of(id)
	p.free = append(p.free, turn)
}

// reuse gives the earliest of the turns that were given up and are still to come.
func (p *ramp) reuse(now time.Time) (turn time.Time, ok bool) {
	p.free = slices.DeleteFunc(p.free, now.After)
	if len(p.free) == 0 {
		p.free = nil
		return turn, false
	}
	turn = slices.MinFunc(p.free, time.Time.Compare)
	at := slices.Index(p.free, turn)
	p.free = slices.Delete(p.free, at, at+1)
	return turn, true
}

// of gives what is known of a service. The lock is held.
func (r *ramps) of(id domain.ServiceID) *ramp {
	if r.services[id] == nil {
		r.services[id] = new(ramp)
	}
	return r.services[id]
}

// reserve takes the next turn and gives when it is, and how long until then. Where that is
// too long it takes the next place among those who are to return instead.
func (r *ramps) reserve(id domain.ServiceID) (turn time.Time, wait time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, now := r.of(id), r.clock.Now()
	if turn, ok := p.reuse(now); ok {
		return turn, turn.Sub(now), nil
	}
	p.paid = later(p.paid, now)
	wait = p.paid.Sub(now) - time.Duration(r.rate.Burst-1)*r.rate.Every
	if wait <= wakingPatience {
		p.paid = p.paid.Add(r.rate.Every)
		return now.Add(wait), wait, nil
	}
	p.promised = later(p.promised, now.Add(wait)).Add(r.rate.Every)
	return turn, 0, &laterError{jitter(p.promised.Sub(now))}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// jitter gives a time between d and a quarter more.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/4+1) }

// reached notes that the server of a service lets people in.
func (r *ramps) reached(id domain.ServiceID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(id).away = time.Time{}
}

// missed notes that the server of a service could not be reached, and gives when
// a device shall try again.
func (r *ramps) missed(id domain.ServiceID) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, now := r.of(id), r.clock.Now()
	if p.away.IsZero() {
		p.away = now
	}
	return jitter(min(max(now.Sub(p.away), minAway), maxAway))
}

// awaitTurn waits until the session may be logged in upstream again.
func (s *session) awaitTurn(ctx context.Context) error {
	c := s.b.counters
	c.waking.Add(1)
	defer c.waking.Add(-1)
	err := s.b.ramps.pass(ctx, s.service)
	if errors.As(err, new(*laterError)) {
		c.turnedAway.Add(1)
	}
	return err
}
