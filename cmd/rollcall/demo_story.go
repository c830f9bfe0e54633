package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/domain"
)

const (
	office domain.ServiceName = "office" // a maximum of two, and an idle timeout
	annex  domain.ServiceName = "annex"  // no maximum, and a protocol total of two
)

// demoSteps is the story, in its order. Each step relies on those before it. It is
// told on any [place], and nobody in it has two sessions at once: a server may
// take one login of a person.
var demoSteps = []struct {
	title string
	play  func(context.Context, *stage, *narrator) error
}{
	{"An appliance starts, and an administrator sets it up", setTheStage},
	{"Five devices join, each with a one-time string", joinFive},
	{"Two seats, two logins: accepted", acceptTwo},
	{"A third login finds the house full: Server Busy", refuseThird},
	{"A device loses coverage; messages wait, and come once", loseCoverage},
	{"A device stays away too long; a newcomer gets its seat", makeRoom},
	{"A service without a maximum reaches its protocol's total: Failed (300)", reachTotal},
	{"The appliance restarts; the sessions go on", restart},
	{"The audit of exactly that", readAudit},
	{"Every view is made again from the log, and compared", rebuildViews},
}

func setTheStage(ctx context.Context, s *stage, n *narrator) error {
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	n.held("ready on %s after %d ms", s.options.Listen, time.Since(began).Milliseconds())
	first, second := s.place.service, s.place.service
	first.Name, first.MaxSessions, first.IdleTimeout = office, new(uint32(2)), new(control.Duration(demoIdleTimeout))
	second.Name, second.ProtocolTotal = annex, new(uint32(2))
	for _, c := range []control.ServiceChange{first, second} {
		service, err := s.op.SetService(ctx, c)
		if err != nil {
			return err
		}
		n.held("service %s: %s", service.Name, describe(service))
	}
	return nil
}

func joinFive(ctx context.Context, s *stage, n *narrator) error {
	for _, name := range demoPeople {
		if err := s.join(ctx, name, office, annex); err != nil {
			return fmt.Errorf("%s's device: %w", name, err)
		}
		n.held("%s's phone is device %d", name, s.devices[name].identity.Device())
	}
	return nil
}

func acceptTwo(ctx context.Context, s *stage, n *narrator) error {
	for _, name := range []string{"Ada", "Bob"} {
		session, err := s.devices[name].login(ctx, office)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		n.held("%s is accepted: session %d", name, session.ID())
	}
	ada, bob := s.devices["Ada"].sessions[office], s.devices["Bob"].sessions[office]
	if err := ada.lists(ctx, demoPeople[1:]...); err != nil {
		return err
	}
	n.held("Ada's phone lists %s", strings.Join(demoPeople[1:], ", "))
	if _, err := ada.Send("bob", "are you there?"); err != nil {
		return err
	}
	if err := bob.received(ctx, "ada: are you there?"); err != nil {
		return err
	}
	n.held("Ada's message reaches Bob")
	return s.seats(ctx, n, office, 2)
}

// seats checks and tells how many seats are taken on a service, and that the
// server has as many logins as all services have seats taken.
func (s *stage) seats(ctx context.Context, n *narrator, service domain.ServiceName, want uint32) error {
	counts, err := s.op.Count(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(counts, func(c control.Count) bool { return c.Service == service && c.Seats == want })
	if at < 0 {
		return fmt.Errorf("%s does not have %d seats taken: %+v", service, want, counts)
	}
	c, all := counts[at], uint32(0)
	n.held("%s: %d of %s seats taken (%d covered, %d out of coverage)", service, c.Seats, orDash(c.Limit), c.Covered, c.OutOfCoverage)
	for _, c := range counts {
		all += c.Seats
	}
	return s.logins(ctx, n, int(all))
}

// logins waits until the server has as many logins as wanted, where it is one
// that can be asked.
func (s *stage) logins(ctx context.Context, n *narrator, want int) error {
	if s.place.logins == nil {
		return nil
	}
	err := eventually(ctx, func() error {
		if have := s.place.logins(); have != want {
			return fmt.Errorf("%s has %d logins, want %d", s.place.server, have, want)
		}
		return nil
	})
	if err == nil {
		n.held("the server itself has %d logins", want)
	}
	return err
}

// refused checks that a login was refused with a code.
func (s *stage) refused(ctx context.Context, n *narrator, name string, service domain.ServiceName, want domain.RejectCode) error {
	_, err := s.devices[name].login(ctx, service)
	var rejected *device.RejectedError
	if !errors.As(err, &rejected) || rejected.Code != want {
		return fmt.Errorf("%s's login to %s gave %v, want %v", name, service, err, want)
	}
	hint := ""
	if rejected.RetryAfter > 0 {
		hint = fmt.Sprintf("; try again in %v", rejected.RetryAfter.Round(100*time.Millisecond))
	}
	n.held("%s's phone shows “%s” (%v%s)", name, shown[want], want, hint)
	return nil
}

func refuseThird(ctx context.Context, s *stage, n *narrator) error {
	return s.refused(ctx, n, "Carl", office, domain.RejectServerBusy)
}

func loseCoverage(ctx context.Context, s *stage, n *narrator) error {
	ada, bob := s.devices["Ada"].sessions[office], s.devices["Bob"].sessions[office]
	s.devices["Bob"].air.cut()
	if err := s.state(ctx, bob.ID(), control.StateOutOfCoverage); err != nil {
		return err
	}
	n.held("Bob drives into a tunnel: out of coverage, his seat is kept")
	for _, body := range []string{"one", "two", "three"} {
		if _, err := ada.Send("bob", body); err != nil {
			return err
		}
	}
	s.devices["Bob"].air.restore()
	if err := bob.received(ctx, "ada: are you there?", "ada: one", "ada: two", "ada: three"); err != nil {
		return err
	}
	n.held("Bob is back: session %d resumed, the three messages came in order, once", bob.ID())
	return s.state(ctx, bob.ID(), control.StateCovered)
}

// state waits until a session is in a state.
func (s *stage) state(ctx context.Context, id domain.SessionID, want control.State) error {
	return eventually(ctx, func() error {
		sessions, err := s.op.Sessions(ctx)
		if err != nil {
			return err
		}
		for _, session := range sessions {
			if session.ID == id && session.State == want {
				return nil
			}
		}
		return fmt.Errorf("session %d is not %s", id, want)
	})
}

func makeRoom(ctx context.Context, s *stage, n *narrator) error {
	bob := s.devices["Bob"].sessions[office]
	s.devices["Bob"].air.cut()
	n.note("Bob leaves for longer than the idle timeout of %v ...", demoIdleTimeout)
	if err := sleep(ctx, demoIdleTimeout+500*time.Millisecond); err != nil {
		return err
	}
	carl, err := s.devices["Carl"].login(ctx, office)
	if err != nil {
		return fmt.Errorf("the newcomer: %w", err)
	}
	n.held("Carl is accepted: session %d, in Bob's place", carl.ID())
	s.devices["Bob"].air.restore()
	if err := s.loggedOut(ctx, bob); err != nil {
		return err
	}
	n.held("Bob is back too late, and is told: logged out to make room")
	return s.seats(ctx, n, office, 2)
}

// loggedOut waits until a device knows that it was logged out to make room.
func (s *stage) loggedOut(ctx context.Context, session *demoSession) error {
	select {
	case err := <-session.over:
		var ended *device.EndedError
		if !errors.As(err, &ended) || !ended.IdledOut {
			return fmt.Errorf("%s's session ended with %v, want an idle logout", session.Account(), err)
		}
		return nil
	case <-time.After(demoPatience):
		return fmt.Errorf("%s's session has not ended", session.Account())
	case <-ctx.Done():
		return ctx.Err()
	}
}

func reachTotal(ctx context.Context, s *stage, n *narrator) error {
	for _, name := range []string{"Dora", "Eve"} {
		session, err := s.devices[name].login(ctx, annex)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		n.held("%s is accepted on %s: session %d", name, annex, session.ID())
	}
	if err := s.refused(ctx, n, "Ada", annex, domain.RejectFailed300); err != nil {
		return err
	}
	return s.seats(ctx, n, annex, 2)
}

func restart(ctx context.Context, s *stage, n *narrator) error {
	ada, carl := s.devices["Ada"].sessions[office], s.devices["Carl"].sessions[office]
	if err := s.halt(); err != nil {
		return fmt.Errorf("stop the appliance: %w", err)
	}
	for _, session := range []*demoSession{ada, carl} {
		if err := session.inCoverage(ctx, false); err != nil {
			return err
		}
	}
	n.held("stopped; the devices are out of coverage and keep trying")
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	for _, session := range []*demoSession{ada, carl} {
		if err := s.state(ctx, session.ID(), control.StateCovered); err != nil {
			return err
		}
	}
	n.held("started again; sessions %d and %d are back after %d ms, nobody typed a password", ada.ID(), carl.ID(), time.Since(began).Milliseconds())
	if _, err := ada.Send("carl", "still here"); err != nil {
		return err
	}
	if err := carl.received(ctx, "ada: still here"); err != nil {
		return err
	}
	n.held("Ada's message reaches Carl")
	return s.seats(ctx, n, office, 2)
}
