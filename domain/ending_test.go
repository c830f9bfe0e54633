package domain_test

import (
	"testing"
	"time"

	"rollcall/domain"
)

// TestEveryEndingFreesTheSeat fills a house of one and lets each ending make
// room for somebody else.
func TestEveryEndingFreesTheSeat(t *testing.T) {
	cases := []struct {
		name  string
		given []any
		when  domain.Command
	}{
		{"logout", live(first, alice), domain.EndSession{Session: first, Cause: domain.EndLogout}},
		{"upstream closed", live(first, alice), domain.EndSession{Session: first, Cause: domain.EndUpstreamClosed}},
		{"ended by the operator", live(first, alice), domain.EndSession{Session: first, Cause: domain.EndedByOperator}},
		{"resume failed", live(first, alice), domain.EndSession{Session: first, Cause: domain.EndResumeFailed}},
		{"ended out of coverage", steps(live(first, alice), time.Minute, &domain.CoverageLost{Session: first, Silent: time.Minute}), domain.EndSession{Session: first, Cause: domain.EndLogout}},
		{"ended while pending", pending(first, alice), domain.EndSession{Session: first, Cause: domain.EndedByOperator}},
		{"refused upstream", pending(first, alice), domain.RejectLogin{Session: first, Code: domain.RejectUpstreamUnreachable}},
		{"wrong password", pending(first, alice), domain.RejectLogin{Session: first, Code: domain.RejectBadCredentials}},
		{"interrupted", pending(first, alice), domain.StartBroker{}},
		{"device revoked", live(first, alice), domain.RevokeDevice{Device: alice}},
		{"device revoked while pending", pending(first, alice), domain.RevokeDevice{Device: alice}},
		{"account barred", live(first, alice), domain.BarPerson{Person: 2, Account: aliceAccount}},
		{"person barred", live(first, alice), domain.BarPerson{Person: 2}},
		{"inactive", steps(live(first, alice), time.Hour), domain.ExpireInactive{}},
	}
	settings := room(1)
	settings.InactivityTimeout = some(time.Hour)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := given(cast(settings, unset[uint32]()), c.given)
			if s, _ := w.ledger.Service(im); s.Seats != 1 {
				t.Fatalf("seats before = %d, want 1", s.Seats)
			}
			events, err := w.when(c.when)
			if err != nil || len(events) == 0 {
				t.Fatalf("Decide(%T) = %v, %v, want events", c.when, events, err)
			}
			w.record(events...)
			if s, _ := w.ledger.Service(im); s.Seats != 0 {
				t.Errorf("seats after = %d, want 0", s.Seats)
			}
			events, err = w.when(carolAsks)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := events[len(events)-1].(*domain.LoginAdmitted); !ok {
				t.Errorf("the next login ends with %v, want login-admitted", events[len(events)-1].Type())
			}
		})
	}
}

func TestIdlingOutFreesTheSeat(t *testing.T) {
	run(t, []scenario{{
		name: "the next login finds room", settings: room(1),
		given: steps(live(first, alice), time.Hour, &domain.SessionIdledOut{Session: first, For: 99, Idle: time.Hour}), when: carolAsks,
		then: []domain.Event{&domain.LoginRequested{Device: carol, Service: im, Account: carolAccount}, &domain.LoginAdmitted{Session: 15, Seats: 1, Limit: limited(1)}},
	}})
}

func TestRemovedServiceFreesItsSeats(t *testing.T) {
	run(t, []scenario{{
		name: "live and pending", settings: open, given: steps(live(first, alice), pending(14, bob)),
		when: domain.RemoveService{Service: im},
		then: []domain.Event{
			&domain.ServiceRemoved{Service: im},
			&domain.SessionEnded{Session: first, Cause: domain.EndServiceRemoved},
			&domain.SessionEnded{Session: 14, Cause: domain.EndServiceRemoved},
		},
	}})
	w := given(cast(open, unset[uint32]()), live(first, alice), &domain.ServiceRemoved{Service: im})
	w.record(&domain.SessionEnded{Session: first, Cause: domain.EndServiceRemoved})
	if got := w.ledger.State(); len(got.Seats)+len(got.Services)+len(got.Accounts) != 0 {
		t.Errorf("state after the removal = %+v, want no seat, service or account", got)
	}
}

func TestEndings(t *testing.T) {
	inactive := domain.Settings{Kind: domain.KindLocal, InactivityTimeout: some(time.Minute)}
	both := inactive
	both.IdleTimeout, both.MaxSessions = some(time.Second), some[uint32](9)
	ended := func(id domain.SessionID, cause domain.EndCause) domain.Event {
		return &domain.SessionEnded{Session: id, Cause: cause}
	}
	expired := func(id domain.SessionID, idle time.Duration) domain.Event {
		return &domain.SessionEnded{Session: id, Cause: domain.EndInactive, Idle: some(idle)}
	}
	run(t, []scenario{
		{name: "unknown session", settings: open, when: domain.EndSession{Session: first, Cause: domain.EndLogout}, err: domain.ErrUnknownSession},
		{name: "ended twice", settings: open, given: steps(live(first, alice), ended(first, domain.EndLogout)), when: domain.EndSession{Session: first, Cause: domain.EndLogout}, err: domain.ErrUnknownSession},
		{name: "inactive", settings: inactive, given: steps(twoLive, time.Second, touch(second), 59*time.Second), when: domain.ExpireInactive{}, then: []domain.Event{expired(first, time.Minute)}},
		{name: "none inactive", settings: inactive, given: steps(twoLive, 59999*time.Millisecond), when: domain.ExpireInactive{}},
		{name: "inactive out of coverage", settings: inactive, given: steps(live(first, alice), time.Minute, &domain.CoverageLost{Session: first, Silent: time.Minute}), when: domain.ExpireInactive{}, then: []domain.Event{expired(first, time.Minute)}},
		{name: "inactivity timeout unset", settings: open, given: steps(twoLive, 1000*time.Hour), when: domain.ExpireInactive{}},
		{name: "the idle timeout alone ends nobody", settings: roomIdle(2, time.Second, domain.EvictAll), given: steps(twoLive, time.Hour), when: domain.ExpireInactive{}},
		{name: "both timeouts: the inactivity timeout counts here", settings: both, given: steps(twoLive, 30*time.Second), when: domain.ExpireInactive{}},
		{name: "a pending login is not inactive", settings: inactive, given: steps(pending(first, alice), time.Hour), when: domain.ExpireInactive{}},
	})
}

func TestNextInactive(t *testing.T) {
	inactive := domain.Settings{Kind: domain.KindLocal, InactivityTimeout: some(time.Minute)}
	cases := []struct {
		name     string
		settings domain.Settings
		given    []any
		want     time.Time
	}{
		{"no session", inactive, nil, time.Time{}},
		{"no timeout", open, twoLive, time.Time{}},
		{"the longest silent", inactive, steps(twoLive, time.Second, touch(first)), start.Add(time.Minute)},
		{"after it was heard", inactive, steps(twoLive, time.Second, touch(first), time.Second, touch(second)), start.Add(time.Minute + time.Second)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := given(cast(c.settings, unset[uint32]()), c.given).ledger.NextInactive()
			if !got.Equal(c.want) || ok == c.want.IsZero() {
				t.Errorf("NextInactive = %v, %v, want %v", got, ok, c.want)
			}
		})
	}
}
