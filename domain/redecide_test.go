package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall/domain"
)

// TestRedecideFindsChanges takes one true decision and changes it.
func TestRedecideFindsChanges(t *testing.T) {
	// Alice is out of coverage for 90 s, Bob silent for 2 min as far as the log
	// knows; a touch made it 70 s. Carol finds the house of two full.
	story := steps(live(first, alice), live(second, bob), 30*time.Second, &domain.CoverageLost{Session: first}, 20*time.Second, touch(second), 70*time.Second)
	requested := &domain.LoginRequested{Device: carol, Service: im, Account: carolAccount}
	out := func(id domain.SessionID, idle time.Duration, uncovered bool) domain.Event {
		return &domain.SessionIdledOut{Session: id, For: 18, Idle: idle, OutOfCoverage: uncovered}
	}
	admitted := func(seats, limit uint32, longest domain.Optional[time.Duration]) domain.Event {
		return &domain.LoginAdmitted{Session: 18, Seats: seats, Limit: some(limit), LongestIdle: longest}
	}
	busy := func(longest domain.Optional[time.Duration]) domain.Event {
		return &domain.LoginRejected{Session: 18, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), LongestIdle: longest, RetryAfter: some(time.Second)}
	}
	cases := []struct {
		name  string
		evict domain.Evict
		log   []domain.Event
		says  string // empty: it is true
	}{
		{"true, fewest", domain.EvictFewest, []domain.Event{requested, out(first, 90*time.Second, true), admitted(2, 2, idled(70*time.Second))}, ""},
		{"true, all", domain.EvictAll, []domain.Event{requested, out(first, 90*time.Second, true), out(second, 70*time.Second, false), admitted(1, 2, unset[time.Duration]())}, ""},
		{"another count", domain.EvictFewest, []domain.Event{requested, out(first, 90*time.Second, true), admitted(1, 2, idled(70*time.Second))}, "Seats:2"},
		{"another limit", domain.EvictFewest, []domain.Event{requested, out(first, 90*time.Second, true), admitted(2, 3, idled(70*time.Second))}, "Limit:2"},
		{"too many logged out", domain.EvictFewest, []domain.Event{requested, out(first, 90*time.Second, true), out(second, 70*time.Second, false), admitted(1, 2, unset[time.Duration]())}, "position 20"},
		{"too few logged out", domain.EvictAll, []domain.Event{requested, out(first, 90*time.Second, true), admitted(2, 2, idled(70*time.Second))}, "position 20"},
		{"admitted into a full house", domain.EvictFewest, []domain.Event{requested, admitted(3, 2, unset[time.Duration]())}, "not told"},
		{"refused though somebody was idle", domain.EvictFewest, []domain.Event{requested, busy(idled(90 * time.Second))}, "session-idled-out"},
		{"refused, the idle one hidden", domain.EvictFewest, []domain.Event{requested, busy(idled(59 * time.Second))}, "session 11 had been idle for longer"},
		{"idle for longer than the log allows", domain.EvictFewest, []domain.Event{requested, out(second, 121*time.Second, false), admitted(2, 2, idled(90*time.Second))}, "session 14 cannot have been idle for 2m1s"},
		{"out of coverage for longer than the log says", domain.EvictFewest, []domain.Event{requested, out(first, 91*time.Second, true), admitted(2, 2, idled(70*time.Second))}, "had been idle for 1m30s"},
		{"coverage told wrong", domain.EvictFewest, []domain.Event{requested, out(first, 90*time.Second, false), admitted(2, 2, idled(70*time.Second))}, "in coverage is told wrong"},
		{"the wrong one logged out", domain.EvictFewest, []domain.Event{requested, out(second, 70*time.Second, false), admitted(2, 2, idled(70*time.Second))}, "session 11 had been idle for longer"},
		{"wrong order", domain.EvictAll, []domain.Event{requested, out(second, 70*time.Second, false), out(first, 90*time.Second, true), admitted(1, 2, unset[time.Duration]())}, "wrong order"},
		{"somebody logged out twice", domain.EvictAll, []domain.Event{requested, out(first, 90*time.Second, true), out(first, 90*time.Second, true), admitted(1, 2, unset[time.Duration]())}, "wrong order"},
		{"nobody's session logged out", domain.EvictAll, []domain.Event{requested, out(99, 90*time.Second, true), admitted(2, 2, idled(70*time.Second))}, "session 99 was not live"},
		{"not decided", domain.EvictFewest, []domain.Event{requested}, "no event"},
		{"decided twice", domain.EvictFewest, []domain.Event{requested, out(first, 90*time.Second, true), admitted(2, 2, idled(70*time.Second)), admitted(2, 2, idled(70*time.Second))}, "the rules give no event"},
		{"an end without a beginning", domain.EvictFewest, []domain.Event{admitted(2, 2, unset[time.Duration]())}, "no decision begins with login-admitted"},
		{"an unfounded superseding", domain.EvictFewest, []domain.Event{&domain.SessionEnded{Session: first, Cause: domain.EndSuperseded}}, "no decision begins with"},
		{"an early inactivity", domain.EvictFewest, []domain.Event{&domain.SessionEnded{Session: first, Cause: domain.EndInactive, Idle: idled(90 * time.Second)}}, "is not enough"},
		{"nothing", domain.EvictFewest, nil, "no record"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := given(cast(roomIdle(2, time.Minute, c.evict), unset[uint32]()), story)
			folded := w.folded()
			err := domain.Redecide(folded, w.record(c.log...))
			if c.says == "" {
				if err != nil {
					t.Errorf("Redecide = %v, want none", err)
				}
				return
			}
			var mismatch *domain.MismatchError
			if !errors.As(err, &mismatch) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Redecide = %v, want a MismatchError with %q", err, c.says)
			}
		})
	}
}

func TestRedecideWantsDensePositions(t *testing.T) {
	w := given(cast(open, unset[uint32]()))
	record := domain.Record{Position: 12, Time: start, Event: &domain.BrokerStopped{}}
	if err := domain.Redecide(w.ledger, []domain.Record{record}); err == nil || !strings.Contains(err.Error(), "position 11") {
		t.Errorf("Redecide = %v, want a mismatch at position 11", err)
	}
}

// TestReplayGoesOn leaves a record out of a log: the replay names it and takes
// the log's word from there on.
func TestReplayGoesOn(t *testing.T) {
	w := given(&domain.ServiceConfigured{Service: 1, Name: "im", Settings: open}, &domain.PersonPermitted{Person: 2, Service: im},
		&domain.EnrolmentOffered{Person: 2, ValidFor: time.Hour}, &domain.DeviceEnrolled{Person: 2, Offer: 3})
	for _, c := range []domain.Command{domain.RequestLogin{Device: 4, Service: im, Account: 2}, domain.AcceptLogin{Session: 5}, domain.RemoveService{Service: im}} {
		events, err := w.when(c)
		if err != nil {
			t.Fatal(err)
		}
		w.record(events...)
	}
	replay := func(log []domain.Record) (faults []domain.Position, end error) {
		r := domain.NewReplay()
		for _, record := range log {
			var m *domain.MismatchError
			if errors.As(r.Next(record), &m) {
				faults = append(faults, m.Position)
			}
		}
		return faults, r.End()
	}
	if faults, end := replay(w.log); len(faults) > 0 || end != nil {
		t.Errorf("replay of a true log = %v, %v", faults, end)
	}
	if _, end := replay(w.log[:5]); end == nil {
		t.Error("replay of a log that ends within a login: no error at its end")
	}
	if _, end := replay(w.log[:len(w.log)-1]); end == nil {
		t.Error("replay of a log that ends within a removal: no error at its end")
	}
	w.log[6].Event = &domain.SessionEnded{Session: 5, Cause: domain.EndDeviceRevoked}
	if faults, _ := replay(w.log); len(faults) != 2 || faults[0] != 7 {
		t.Errorf("replay of a changed log finds faults at %v, want 7 and what follows from it", faults)
	}
}
