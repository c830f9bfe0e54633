package why_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/why"
	"rollcall/domain"
)

var (
	noLimit   = domain.Settings{}
	oneSeat   = domain.Settings{MaxSessions: domain.Some(uint32(1))}
	idleHouse = domain.Settings{MaxSessions: domain.Some(uint32(1)), IdleTimeout: domain.Some(time.Minute)}
	twoFewest = domain.Settings{MaxSessions: domain.Some(uint32(2)), IdleTimeout: domain.Some(time.Minute), Evict: domain.EvictFewest}
)

// TestDecisionsInWords has for each rule a story, the position that is asked
// about, and what is told of the last decision.
func TestDecisionsInWords(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings domain.Settings
		total    uint32
		story    func(h *house) domain.Position
		want     string
	}{
		{"known service", noLimit, 9, func(h *house) domain.Position {
			return h.do(domain.RequestLogin{Device: ada}, side(0, domain.SideServiceName, "offcie"), side(0, domain.SideAccountName, "ada"))
		}, `Ada was refused: unknown-service
known-service: no service "offcie" was configured`},
		{"permitted", noLimit, 9, func(h *house) domain.Position {
			return h.do(domain.RequestLogin{Device: ada, Service: 1}, side(0, domain.SideAccountName, "root"))
		}, `Ada was refused: not-permitted
permitted: the device's person was not permitted to use account "root" on service office
seats 0: `},
		{"backed off", noLimit, 9, func(h *house) domain.Position {
			h.do(domain.RejectLogin{Session: h.ask(ada, adas), Code: domain.RejectBadCredentials})
			h.do(domain.RejectLogin{Session: h.ask(ada, adas), Code: domain.RejectBadCredentials})
			return domain.Position(h.ask(ada, adas))
		}, `Ada was refused: backed-off
backed-off: the device had given wrong passwords, and had to wait
- 2 wrong passwords in a row, the last at 2026-03-01T09:00:14.000Z
- the device was told to try again in 1s
seats 0: `},
		{"superseding", oneSeat, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			return domain.Position(h.ask(ada, adas))
		}, `Ada was admitted
superseding: the device had a session there already, 11: the new one took over its seat, which needs no room
- 1 of 1 seat taken, this one included`},
		{"superseded", oneSeat, 9, func(h *house) domain.Position {
			s := h.login(ada, adas)
			h.ask(ada, adas)
			return domain.Position(s)
		}, `Ada was logged out: superseded
superseding: the same device logged in to the service again, and the new session took over the seat
- login 14 took over
cause 14 login-requested`},
		{"room", domain.Settings{MaxSessions: domain.Some(uint32(3))}, 9, func(h *house) domain.Position {
			return domain.Position(h.ask(ada, adas))
		}, `Ada was admitted
room: there was room
- 1 of 3 seats taken, this one included`},
		{"the protocol's total, no maximum", noLimit, 1, func(h *house) domain.Position {
			h.login(ada, adas)
			return domain.Position(h.ask(bob, bobs))
		}, `Bob was refused: failed-300, which a device shows as Failed (300)
failed-300: the total of sessions that the protocol can have was reached, and no maximum is set below it
- 1 of 1 seat taken
seats 1: 11 Ada covered`},
		{"the protocol's total below the maximum", domain.Settings{MaxSessions: domain.Some(uint32(5))}, 1, func(h *house) domain.Position {
			h.login(ada, adas)
			return domain.Position(h.ask(bob, bobs)) + 1 // the refusal itself
		}, `Bob was refused: failed-300, which a device shows as Failed (300)
failed-300: the total of sessions that the protocol can have was reached, and the maximum of 5 lies above it
- 1 of 1 seat taken
seats 1: 11 Ada covered`},
		{"evict, the newcomer", idleHouse, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			h.wait(time.Hour)
			return domain.Position(h.ask(bob, bobs))
		}, `Bob was admitted
evict: the house was full, and 1 session idle for the idle timeout of 1m0s made room
- 1 of 1 seat taken, this one included
made room 11 Ada`},
		{"evict, who was silent", idleHouse, 9, func(h *house) domain.Position {
			s := h.login(ada, adas)
			h.wait(time.Hour)
			h.ask(bob, bobs)
			return domain.Position(s)
		}, `Ada was logged out, to make room
evict: the house was full, and the session had been silent for 1h0m1s, with an idle timeout of 1m0s
- its device was silent, and not known to be out of coverage
- it made room for Bob: login 14, device 7, which was then admitted
- evict is all: everybody who has been idle for the timeout is logged out
cause 14 login-requested`},
		{"evict, who was out of coverage", twoFewest, 9, func(h *house) domain.Position {
			s := h.login(ada, adas)
			h.login(bob, bobs)
			h.do(domain.LoseCoverage{Session: s})
			h.wait(time.Hour)
			return domain.Position(h.ask(carl, carls)) + 1 // the logout itself
		}, `Ada was logged out, to make room
evict: the house was full, and the session had been out of coverage for 1h0m4s, with an idle timeout of 1m0s
- its device was known to be out of coverage
- it made room for Carl: login 18, device 10, which was then admitted
- evict is fewest: the longest idle are logged out first, and no more than needed
cause 18 login-requested`},
		{"server busy, nobody idle for long enough", idleHouse, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			h.ask(bob, bobs)
			return domain.Position(h.ask(carl, carls))
		}, `Carl was refused: server-busy, which a device shows as Server Busy
server-busy: the maximum was reached, and no session had been idle for the idle timeout of 1m0s
- 1 of 1 seat taken
- the longest idle session had been idle for 2s
- devices that were refused before it had been told to return over the next 58.02s
- the device was told to try again in 58.02s
seats 1: 11 Ada covered`},
		{"server busy, no timeout", oneSeat, 9, func(h *house) domain.Position {
			h.ask(ada, adas)
			return domain.Position(h.ask(bob, bobs))
		}, `Bob was refused: server-busy, which a device shows as Server Busy
server-busy: the maximum was reached, and no idle timeout is set: nobody makes room
- 1 of 1 seat taken
- no session was live that could have been idle
- no device that was refused before it was still to return
- the device was told to try again in 30s
seats 1: 11 Ada pending`},
		{"server busy, fewer idle than needed", twoFewest, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			h.wait(time.Hour)
			h.login(bob, bobs)
			h.set(domain.Settings{MaxSessions: domain.Some(uint32(1)), IdleTimeout: domain.Some(time.Minute), Evict: domain.EvictFewest}, 9)
			return domain.Position(h.ask(carl, carls))
		}, `Carl was refused: server-busy, which a device shows as Server Busy
server-busy: the maximum was reached; 1 session had been idle for the idle timeout of 1m0s, fewer than needed, and evict fewest then logs out none
- 2 of 1 seat taken
- the longest idle session had been idle for 1h0m4s
- no device that was refused before it was still to return
- the device was told to try again in 30s
seats 2: 11 Ada covered, 14 Bob covered`},
		{"server busy, not enough made room", domain.Settings{MaxSessions: domain.Some(uint32(2)), IdleTimeout: domain.Some(time.Minute)}, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			h.wait(time.Hour)
			h.login(bob, bobs)
			h.set(idleHouse, 9)
			return domain.Position(h.ask(carl, carls))
		}, `Carl was refused: server-busy, which a device shows as Server Busy
server-busy: the maximum was reached, and that 1 session idle for the idle timeout of 1m0s made room was not enough
- 1 of 1 seat taken
- the longest idle session had been idle for 2s
- no device that was refused before it was still to return
- the device was told to try again in 58s
made room 11 Ada
seats 1: 14 Bob covered`},
		{"refused upstream", noLimit, 9, func(h *house) domain.Position {
			s := h.ask(ada, adas)
			return h.do(domain.RejectLogin{Session: s, Code: domain.RejectBadCredentials},
				side(domain.Position(s), domain.SideUpstreamText, "no such user"))
		}, `Ada was refused: bad-credentials
upstream: the upstream server refused the name or the password
- 1 wrong password in a row from this device
- the text on record: no such user
- the device was told to try again in 1s
seats 0: `},
		{"interrupted by a start", noLimit, 9, func(h *house) domain.Position {
			s := h.ask(ada, adas)
			h.do(domain.StartBroker{Version: "1"})
			return domain.Position(s)
		}, `Ada was refused: interrupted
interrupted: the broker was started again before the login was through
cause 13 broker-started
seats 0: `},
		{"let in", noLimit, 9, func(h *house) domain.Position {
			return domain.Position(h.login(ada, adas)) + 2
		}, `Ada was let in
upstream: the upstream server took the name and the password`},
		{"logged out", noLimit, 9, func(h *house) domain.Position {
			return h.do(domain.EndSession{Session: h.login(ada, adas), Cause: domain.EndLogout})
		}, `Ada logged out
device: the person logged out`},
		{"inactive", domain.Settings{InactivityTimeout: domain.Some(time.Hour)}, 9, func(h *house) domain.Position {
			s := h.login(ada, adas)
			h.wait(2 * time.Hour)
			h.do(domain.ExpireInactive{})
			return domain.Position(s)
		}, `Ada was logged out: inactive
inactivity: nothing had been heard of the device for 2h0m1s, with an inactivity timeout of 1h0m0s`},
		{"device revoked, the session", noLimit, 9, func(h *house) domain.Position {
			s := h.login(ada, adas)
			h.do(domain.RevokeDevice{Device: ada})
			return domain.Position(s)
		}, `Ada was logged out: device-revoked
operator: an administrator revoked the device
- it was part of position 14, device-revoked
cause 14 device-revoked`},
		{"service removed, the event", noLimit, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			return h.do(domain.RemoveService{Service: 1})
		}, `service office was removed
operator: an administrator asked for it`},
		{"person barred, a name that was erased", noLimit, 9, func(h *house) domain.Position {
			h.login(ada, adas)
			p := h.do(domain.BarPerson{Person: 2})
			if _, err := h.log.Append(h.t.Context(), h.log.Last(), domain.Batch{Forget: []domain.SideKey{{Position: 2, Kind: domain.SidePersonName}}}); err != nil {
				h.t.Fatal(err)
			}
			return p + 1
		}, `device 4 was logged out: person-barred
operator: an administrator barred the person from the account
- it was part of position 14, person-barred
cause 14 person-barred`},
		{"the broker", noLimit, 9, func(h *house) domain.Position {
			return h.do(domain.StartBroker{Version: "1"})
		}, `the broker was started
broker: the appliance began to serve: every session there was counts as out of coverage from here on`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, test.settings, test.total)
			asked := test.story(h)
			w := h.why(asked)
			if w.Event.Position != asked {
				t.Errorf("the account is of position %d, want %d", w.Event.Position, asked)
			}
			if diff := cmp.Diff(test.want, told(w.Decisions[len(w.Decisions)-1])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryEventIsToldOf asks of every position of a log in which much happens.
func TestEveryEventIsToldOf(t *testing.T) {
	h := newHouse(t, idleHouse, 9)
	s := h.login(ada, adas)
	h.do(domain.LoseCoverage{Session: s})
	h.do(domain.ResumeSession{Session: s, Device: ada, Fence: 2})
	h.ask(bob, bobs)
	h.wait(time.Hour)
	h.login(bob, bobs)
	h.do(domain.RevokeDevice{Device: bob})
	h.do(domain.RemoveService{Service: 1})
	for p := domain.Position(1); p <= h.log.Last(); p++ {
		w := h.why(p)
		if w.Event.Position != p || w.Event.UUID != h.log.ID().UUID(p) || len(w.Decisions) == 0 {
			t.Errorf("position %d: an account of %d with %d decisions", p, w.Event.Position, len(w.Decisions))
		}
		for _, d := range w.Decisions {
			if !d.Same || d.Outcome == "" || d.Rule == "" || d.Reason == "" {
				t.Errorf("position %d: %+v", p, d)
			}
		}
	}
}

func TestSettingsAreThoseThatHeld(t *testing.T) {
	h := newHouse(t, idleHouse, 9)
	h.set(oneSeat, 9)
	set := h.log.Last()
	asked := h.ask(ada, adas)
	h.set(noLimit, 9)
	d := h.why(domain.Position(asked)).Decisions[0]
	if d.Settings.Position != set || d.Settings.IdleTimeout != nil || *d.Settings.MaxSessions != 1 {
		t.Errorf("settings %+v of position %d, want those of %d", d.Settings.Service, d.Settings.Position, set)
	}
}

// TestCourse tells of a session that comes and goes for long, while it is live and
// when it is over.
func TestCourse(t *testing.T) {
	h := newHouse(t, noLimit, 9)
	s := h.login(ada, adas)
	for i := range 20 {
		h.do(domain.LoseCoverage{Session: s})
		h.do(domain.ResumeSession{Session: s, Device: ada, Fence: uint32(i + 2)})
	}
	course := func() string {
		w := h.why(domain.Position(s))
		text := fmt.Sprintf("%s, %d omitted:", w.Session.State, w.Session.Omitted)
		for _, row := range w.Session.Course {
			text += fmt.Sprintf(" %d %s", row.Position, row.Type)
		}
		return text
	}
	tail := " 11 login-requested 12 login-admitted 13 login-accepted" + strings.Repeat(" N coverage-lost N session-resumed", 5)
	for p := 44; p <= 53; p++ {
		tail = strings.Replace(tail, "N", fmt.Sprint(p), 1)
	}
	if diff := cmp.Diff("covered, 30 omitted:"+tail, course()); diff != "" {
		t.Error(diff)
	}
	h.do(domain.EndSession{Session: s, Cause: domain.EndedByOperator})
	h.login(bob, bobs) // what comes later is not its course
	if diff := cmp.Diff("ended, 30 omitted:"+tail+" 54 session-ended", course()); diff != "" {
		t.Error(diff)
	}
}

// TestBriefNamesAFew fills a house, and asks who was in it.
func TestBriefNamesAFew(t *testing.T) {
	h := newHouse(t, domain.Settings{MaxSessions: domain.Some(uint32(7))}, 9)
	for range 7 {
		p := h.do(domain.PermitPerson{Service: 1})
		offer := h.do(domain.OfferEnrolment{Person: domain.PersonID(p), ValidFor: time.Hour})
		device := h.do(domain.EnrolDevice{Offer: domain.OfferID(offer)})
		h.ask(domain.DeviceID(device), domain.AccountID(p))
	}
	asked := domain.Position(h.ask(ada, adas))
	for _, test := range []struct {
		brief bool
		want  int
	}{{true, 5}, {false, 7}} {
		w, err := why.Of(t.Context(), h.log, control.WhyQuery{Position: asked, Brief: test.brief})
		if err != nil {
			t.Fatal(err)
		}
		if s := w.Decisions[0].Seats; s.Taken != 7 || len(s.Holders) != test.want {
			t.Errorf("brief %v: %d of %d holders, want %d of 7", test.brief, len(s.Holders), s.Taken, test.want)
		}
	}
}

// TestWhatTheRulesDoNotGive asks of decisions that somebody else made.
func TestWhatTheRulesDoNotGive(t *testing.T) {
	h := newHouse(t, oneSeat, 9)
	h.login(ada, adas)
	asked := h.write([]domain.Event{
		&domain.LoginRequested{Device: bob, Service: 1, Account: bobs},
		&domain.LoginRejected{Session: 14, Code: domain.RejectFailed300, Seats: 1, Limit: domain.Some(uint32(1)), LongestIdle: domain.Some(time.Duration(0))},
	})
	alone := h.write([]domain.Event{&domain.SessionIdledOut{Session: 11, For: 14, Idle: time.Hour}})
	if d := h.why(asked).Decisions[0]; d.Same || !strings.Contains(d.Difference, "position 15: the log has login-rejected") {
		t.Errorf("same %v, difference %q; want one at position 15", d.Same, d.Difference)
	}
	if d := h.why(alone).Decisions[1]; d.Same || !strings.Contains(d.Difference, "no decision begins with session-idled-out") {
		t.Errorf("same %v, difference %q; want none to begin so", d.Same, d.Difference)
	}
}

func TestNoSuchEvent(t *testing.T) {
	h := newHouse(t, noLimit, 9)
	for _, p := range []domain.Position{0, 11, 1 << 62} {
		_, err := why.Of(t.Context(), h.log, control.WhyQuery{Position: p})
		if !errors.Is(err, control.ErrUnknownEvent) || !strings.Contains(err.Error(), "the log ends at 10") {
			t.Errorf("position %d: %v, want ErrUnknownEvent and where the log ends", p, err)
		}
	}
}
