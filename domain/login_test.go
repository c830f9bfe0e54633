package domain_test

import (
	"testing"
	"time"

	"rollcall/domain"
)

// settings for the house of these tests.
func room(most uint32) domain.Settings {
	return domain.Settings{Kind: domain.KindLocal, MaxSessions: some(most)}
}

func roomIdle(most uint32, timeout time.Duration, evict domain.Evict) domain.Settings {
	s := room(most)
	s.IdleTimeout, s.Evict = some(timeout), evict
	return s
}

func asks(device domain.DeviceID, account domain.AccountID) domain.RequestLogin {
	return domain.RequestLogin{Device: device, Service: im, Account: account}
}

var (
	carolAsks    = asks(carol, carolAccount)
	carolAsked   = &domain.LoginRequested{Device: carol, Service: im, Account: carolAccount}
	twoLive      = steps(live(first, alice), live(second, bob))
	open         = domain.Settings{Kind: domain.KindLocal}
	limited      = some[uint32]
	wrongPass    = []any{&domain.LoginRejected{Session: first, Code: domain.RejectBadCredentials}}
	idled        = some[time.Duration]
	reconfigured = func(s domain.Settings, total domain.Optional[uint32]) *domain.ServiceConfigured {
		return &domain.ServiceConfigured{Service: im, Name: "im", Settings: s, Total: total}
	}
)

func TestWhoMayLogIn(t *testing.T) {
	run(t, []scenario{
		{
			name: "unknown service", settings: open,
			when: domain.RequestLogin{Device: alice},
			then: []domain.Event{&domain.LoginRequested{Device: alice}, &domain.LoginRejected{Session: first, Code: domain.RejectUnknownService}},
		},
		{
			name: "removed service", settings: open, given: steps(&domain.ServiceRemoved{Service: im}),
			when: asks(alice, aliceAccount),
			then: []domain.Event{
				&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount},
				&domain.LoginRejected{Session: 12, Code: domain.RejectUnknownService},
			},
		},
		{
			name: "unknown account", settings: open,
			when: asks(alice, 0),
			then: []domain.Event{&domain.LoginRequested{Device: alice, Service: im}, &domain.LoginRejected{Session: first, Code: domain.RejectNotPermitted}},
		},
		{
			name: "a colleague's account, before capacity is asked: nobody is pushed out", settings: roomIdle(1, time.Minute, domain.EvictAll),
			given: steps(live(first, alice), time.Hour),
			when:  asks(carol, bobAccount),
			then: []domain.Event{
				&domain.LoginRequested{Device: carol, Service: im, Account: bobAccount},
				&domain.LoginRejected{Session: 14, Code: domain.RejectNotPermitted},
			},
		},
		{
			name: "barred", settings: open, given: steps(&domain.PersonBarred{Person: 8, Account: carolAccount}),
			when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{Session: 12, Code: domain.RejectNotPermitted}},
		},
		{
			name: "permitted again after having been barred", settings: open,
			given: steps(&domain.PersonBarred{Person: 8}, &domain.PersonPermitted{Person: 8, Service: im}),
			when:  asks(carol, 12),
			then: []domain.Event{
				&domain.LoginRequested{Device: carol, Service: im, Account: 12},
				&domain.LoginAdmitted{Session: 13, Seats: 1},
			},
		},
		{name: "unknown device", settings: open, when: asks(99, aliceAccount), err: domain.ErrUnknownDevice},
		{name: "revoked device", settings: open, given: steps(&domain.DeviceRevoked{Device: alice}), when: asks(alice, aliceAccount), err: domain.ErrDeviceRevoked},
		{
			name: "an account of a service that was removed and set anew", settings: open,
			given: steps(&domain.ServiceRemoved{Service: im}, &domain.ServiceConfigured{Service: 12, Name: "im", Settings: open}),
			when:  domain.RequestLogin{Device: alice, Service: 12, Account: aliceAccount},
			then: []domain.Event{
				&domain.LoginRequested{Device: alice, Service: 12, Account: aliceAccount},
				&domain.LoginRejected{Session: 13, Code: domain.RejectNotPermitted},
			},
		},
	})
}

func TestBackOff(t *testing.T) {
	rejected := func(wait time.Duration) []domain.Event {
		return []domain.Event{
			&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount},
			&domain.LoginRejected{Session: 14, Code: domain.RejectBackedOff, RetryAfter: some(wait)},
		}
	}
	failed := steps(pending(first, alice), wrongPass)
	run(t, []scenario{
		{name: "at once after a wrong password", settings: open, given: failed, when: asks(alice, aliceAccount), then: rejected(time.Second)},
		{name: "a little later", settings: open, given: steps(failed, 400*time.Millisecond), when: asks(alice, aliceAccount), then: rejected(600 * time.Millisecond)},
		{
			name: "when the wait is over", settings: open, given: steps(failed, time.Second), when: asks(alice, aliceAccount),
			then: []domain.Event{
				&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount},
				&domain.LoginAdmitted{Session: 14, Seats: 1},
			},
		},
		{
			name: "no eviction meanwhile", settings: roomIdle(1, time.Second, domain.EvictAll),
			given: steps(live(first, bob), time.Hour, &domain.SessionEnded{Session: first}, pending(15, alice), &domain.LoginRejected{Session: 15, Code: domain.RejectBadCredentials}, live(18, bob)),
			when:  asks(alice, aliceAccount),
			then: []domain.Event{
				&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount},
				&domain.LoginRejected{Session: 21, Code: domain.RejectBackedOff, RetryAfter: some(time.Second)},
			},
		},
		{
			name: "each failure doubles the wait", settings: open,
			given: steps(failed, time.Hour, pending(14, alice)),
			when:  domain.RejectLogin{Session: 14, Code: domain.RejectBadCredentials},
			then:  []domain.Event{&domain.LoginRejected{Session: 14, Code: domain.RejectBadCredentials, RetryAfter: some(2 * time.Second)}},
		},
		{
			name: "a success forgets the failures", settings: open,
			given: steps(failed, time.Hour, live(14, alice), &domain.SessionEnded{Session: 14}, pending(18, alice)),
			when:  domain.RejectLogin{Session: 18, Code: domain.RejectBadCredentials},
			then:  []domain.Event{&domain.LoginRejected{Session: 18, Code: domain.RejectBadCredentials, RetryAfter: some(time.Second)}},
		},
		{
			name: "another refusal is no wrong password", settings: open,
			given: steps(pending(first, alice), &domain.LoginRejected{Session: first, Code: domain.RejectUpstreamTimeout}),
			when:  asks(alice, aliceAccount),
			then: []domain.Event{
				&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount},
				&domain.LoginAdmitted{Session: 14, Seats: 1},
			},
		},
	})
}

func TestBackOffGrowsToFiveMinutes(t *testing.T) {
	w := given(cast(open, unset[uint32]()))
	var waits []time.Duration
	for range 12 {
		w.now = w.now.Add(time.Hour)
		events, err := w.when(asks(alice, aliceAccount))
		if err != nil {
			t.Fatal(err)
		}
		session := domain.SessionID(w.record(events...)[0].Position)
		events, err = w.when(domain.RejectLogin{Session: session, Code: domain.RejectBadCredentials})
		if err != nil {
			t.Fatal(err)
		}
		w.record(events...)
		waits = append(waits, events[0].(*domain.LoginRejected).RetryAfter.Or(0))
	}
	for i, wait := range waits {
		if want := min(time.Second<<i, 5*time.Minute); wait != want {
			t.Errorf("wait after %d wrong passwords = %v, want %v", i+1, wait, want)
		}
	}
}

func TestRoom(t *testing.T) {
	run(t, []scenario{
		{
			name: "under the maximum", settings: room(3), given: twoLive, when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginAdmitted{Session: third, Seats: 3, Limit: limited(3)}},
		},
		{
			name: "no maximum and no total", settings: open, given: twoLive, when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginAdmitted{Session: third, Seats: 3}},
		},
		{
			name: "full, idle timeout unset: Server Busy with the evidence", settings: room(2), given: steps(twoLive, time.Hour), when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: third, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), LongestIdle: idled(time.Hour), RetryAfter: some(30 * time.Second), Queue: idled(0),
			}},
		},
		{
			name: "a pending login counts", settings: room(2), given: steps(live(first, alice), pending(14, bob)), when: asks(carol, carolAccount),
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: 16, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), LongestIdle: idled(0), RetryAfter: some(30 * time.Second), Queue: idled(0),
			}},
		},
		{
			name: "full of pending logins, which are never idle", settings: roomIdle(2, time.Minute, domain.EvictAll),
			given: steps(pending(first, alice), pending(13, bob), time.Hour), when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: 15, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), RetryAfter: some(30 * time.Second), Queue: idled(0),
			}},
		},
		{
			name: "full, nobody idle for long enough: Server Busy", settings: roomIdle(2, time.Minute, domain.EvictAll),
			given: steps(twoLive, 59*time.Second), when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: third, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), LongestIdle: idled(59 * time.Second), RetryAfter: some(time.Second), Queue: idled(0),
			}},
		},
		{
			name: "idle for exactly the timeout", settings: roomIdle(2, time.Minute, domain.EvictFewest),
			given: steps(live(first, alice), time.Second, live(second, bob), 59*time.Second), when: carolAsks,
			then: []domain.Event{carolAsked,
				&domain.SessionIdledOut{Session: first, For: third, Idle: time.Minute},
				&domain.LoginAdmitted{Session: third, Seats: 2, Limit: limited(2), LongestIdle: idled(59 * time.Second)},
			},
		},
		{
			name: "evict all", settings: roomIdle(2, time.Minute, domain.EvictAll),
			given: steps(twoLive, time.Second, touch(first), time.Hour, &domain.CoverageLost{Session: second, Silent: time.Hour + time.Second}), when: carolAsks,
			then: []domain.Event{&domain.LoginRequested{Device: carol, Service: im, Account: carolAccount},
				&domain.SessionIdledOut{Session: second, For: 18, Idle: time.Hour + time.Second, OutOfCoverage: true},
				&domain.SessionIdledOut{Session: first, For: 18, Idle: time.Hour},
				&domain.LoginAdmitted{Session: 18, Seats: 1, Limit: limited(2)},
			},
		},
		{
			name: "evict fewest: the longest silent", settings: roomIdle(2, time.Minute, domain.EvictFewest),
			given: steps(twoLive, time.Second, touch(first), time.Hour), when: carolAsks,
			then: []domain.Event{carolAsked,
				&domain.SessionIdledOut{Session: second, For: third, Idle: time.Hour + time.Second},
				&domain.LoginAdmitted{Session: third, Seats: 2, Limit: limited(2), LongestIdle: idled(time.Hour)},
			},
		},
		{
			name: "equally idle: the oldest session goes", settings: roomIdle(2, time.Minute, domain.EvictFewest),
			given: steps(twoLive, time.Second, touch(second), touch(first), time.Hour), when: carolAsks,
			then: []domain.Event{carolAsked,
				&domain.SessionIdledOut{Session: first, For: third, Idle: time.Hour},
				&domain.LoginAdmitted{Session: third, Seats: 2, Limit: limited(2), LongestIdle: idled(time.Hour)},
			},
		},
		{
			name: "evict fewest would not help: nobody is logged out", settings: roomIdle(2, time.Minute, domain.EvictFewest),
			given: steps(twoLive, time.Minute, touch(second), reconfigured(roomIdle(1, time.Minute, domain.EvictFewest), unset[uint32]())), when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: 18, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(1), LongestIdle: idled(time.Minute), IdleSeats: 1, RetryAfter: some(30 * time.Second), Queue: idled(0),
			}},
		},
		{
			name: "all idle ones are not enough: logged out, and busy all the same", settings: roomIdle(2, time.Minute, domain.EvictAll),
			given: steps(twoLive, time.Minute, touch(second), reconfigured(roomIdle(1, time.Minute, domain.EvictAll), unset[uint32]())), when: carolAsks,
			then: []domain.Event{carolAsked,
				&domain.SessionIdledOut{Session: first, For: 18, Idle: time.Minute},
				&domain.LoginRejected{
					Session: 18, Code: domain.RejectServerBusy, Seats: 1, Limit: limited(1), LongestIdle: idled(0), RetryAfter: some(time.Minute), Queue: idled(0),
				},
			},
		},
		{
			name: "maximum lowered below the seats taken: as many go as are needed", settings: roomIdle(9, time.Minute, domain.EvictFewest),
			given: steps(twoLive, time.Minute, reconfigured(roomIdle(1, time.Minute, domain.EvictFewest), unset[uint32]())), when: carolAsks,
			then: []domain.Event{carolAsked,
				&domain.SessionIdledOut{Session: first, For: 18, Idle: time.Minute},
				&domain.SessionIdledOut{Session: second, For: 18, Idle: time.Minute},
				&domain.LoginAdmitted{Session: 18, Seats: 1, Limit: limited(1)},
			},
		},
		{
			name: "a retry never sooner than in a second", settings: roomIdle(1, time.Minute, domain.EvictAll),
			given: steps(live(first, alice), 59999*time.Millisecond), when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: 14, Code: domain.RejectServerBusy, Seats: 1, Limit: limited(1), LongestIdle: idled(59999 * time.Millisecond), RetryAfter: some(time.Second), Queue: idled(0),
			}},
		},
		{
			name: "the inactivity timeout makes no room", settings: domain.Settings{Kind: domain.KindLocal, MaxSessions: some[uint32](1), InactivityTimeout: some(time.Minute)},
			given: steps(live(first, alice), time.Hour), when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: 14, Code: domain.RejectServerBusy, Seats: 1, Limit: limited(1), LongestIdle: idled(time.Hour), RetryAfter: some(30 * time.Second), Queue: idled(0),
			}},
		},
	})
}

func TestProtocolTotal(t *testing.T) {
	failed := func(session domain.SessionID, total uint32) []domain.Event {
		return []domain.Event{carolAsked, &domain.LoginRejected{Session: session, Code: domain.RejectFailed300, Seats: 2, Limit: limited(total)}}
	}
	run(t, []scenario{
		{name: "maximum unset", settings: open, total: limited(2), given: twoLive, when: carolAsks, then: failed(third, 2)},
		{
			name: "maximum unset: nobody is logged out for it", settings: domain.Settings{Kind: domain.KindLocal, IdleTimeout: some(time.Minute)}, total: limited(2),
			given: steps(twoLive, time.Hour), when: carolAsks, then: failed(third, 2),
		},
		{name: "maximum above the total", settings: roomIdle(3, time.Minute, domain.EvictAll), total: limited(2), given: steps(twoLive, time.Hour), when: carolAsks, then: failed(third, 2)},
		{
			name: "maximum equal to the total: Server Busy", settings: room(2), total: limited(2), given: twoLive, when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginRejected{
				Session: third, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), LongestIdle: idled(0), RetryAfter: some(30 * time.Second), Queue: idled(0),
			}},
		},
		{
			name: "below the total", settings: open, total: limited(3), given: twoLive, when: carolAsks,
			then: []domain.Event{carolAsked, &domain.LoginAdmitted{Session: third, Seats: 3, Limit: limited(3)}},
		},
		{
			name: "total lowered below the seats taken", settings: open, total: limited(9), given: steps(twoLive, reconfigured(open, limited(1))), when: carolAsks,
			then: failed(18, 1),
		},
	})
}

func TestSupersede(t *testing.T) {
	aliceAsked := &domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount}
	run(t, []scenario{
		{
			name: "a live session, in a full house", settings: roomIdle(2, time.Minute, domain.EvictAll), given: steps(twoLive, time.Hour),
			when: asks(alice, aliceAccount),
			then: []domain.Event{aliceAsked,
				&domain.SessionEnded{Session: first, Cause: domain.EndSuperseded},
				&domain.LoginAdmitted{Session: third, Seats: 2, Limit: limited(2)},
			},
		},
		{
			name: "a pending login, in a full house", settings: room(1), given: pending(first, alice),
			when: asks(alice, aliceAccount),
			then: []domain.Event{aliceAsked,
				&domain.SessionEnded{Session: first, Cause: domain.EndSuperseded},
				&domain.LoginAdmitted{Session: 13, Seats: 1, Limit: limited(1)},
			},
		},
		{
			name: "at the protocol's total", settings: open, total: limited(2), given: twoLive,
			when: asks(alice, aliceAccount),
			then: []domain.Event{aliceAsked,
				&domain.SessionEnded{Session: first, Cause: domain.EndSuperseded},
				&domain.LoginAdmitted{Session: third, Seats: 2, Limit: limited(2)},
			},
		},
		{
			name: "with the maximum lowered below the seats taken", settings: room(2), given: steps(twoLive, reconfigured(room(1), unset[uint32]())),
			when: asks(alice, aliceAccount),
			then: []domain.Event{aliceAsked,
				&domain.SessionEnded{Session: first, Cause: domain.EndSuperseded},
				&domain.LoginAdmitted{Session: 18, Seats: 2, Limit: limited(1)},
			},
		},
		{
			name: "not on another service", settings: open,
			given: steps(live(first, alice), &domain.ServiceConfigured{Service: 14, Name: "other", Settings: open}, &domain.PersonPermitted{Person: 2, Service: 14}),
			when:  domain.RequestLogin{Device: alice, Service: 14, Account: 15},
			then: []domain.Event{
				&domain.LoginRequested{Device: alice, Service: 14, Account: 15},
				&domain.LoginAdmitted{Session: 16, Seats: 1},
			},
		},
	})
}

func TestUpstreamAnswers(t *testing.T) {
	run(t, []scenario{
		{name: "accepted", settings: open, given: pending(first, alice), when: domain.AcceptLogin{Session: first}, then: []domain.Event{&domain.LoginAccepted{Session: first}}},
		{name: "refused", settings: open, given: pending(first, alice), when: domain.RejectLogin{Session: first, Code: domain.RejectUpstreamFull}, then: []domain.Event{&domain.LoginRejected{Session: first, Code: domain.RejectUpstreamFull}}},
		{name: "accepted twice", settings: open, given: live(first, alice), when: domain.AcceptLogin{Session: first}, err: domain.ErrNotPending},
		{name: "refused after accepted", settings: open, given: live(first, alice), when: domain.RejectLogin{Session: first, Code: domain.RejectUpstreamFull}, err: domain.ErrNotPending},
		{name: "accepted after the end", settings: open, given: steps(pending(first, alice), &domain.SessionEnded{Session: first}), when: domain.AcceptLogin{Session: first}, err: domain.ErrUnknownSession},
		{name: "refused without a login", settings: open, when: domain.RejectLogin{Session: first, Code: domain.RejectUpstreamFull}, err: domain.ErrUnknownSession},
	})
}
