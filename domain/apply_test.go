package domain_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"rollcall/domain"
)

// TestApplyIgnoresWhatIsNotThere applies events that fit nothing: the ledger
// stays as it was.
func TestApplyIgnoresWhatIsNotThere(t *testing.T) {
	cases := []struct {
		name  string
		given []any
		event domain.Event
	}{
		{"settings of an unknown service", nil, &domain.ServiceConfigured{Service: 99, Name: "x"}},
		{"settings of a removed service", steps(&domain.ServiceRemoved{Service: im}), &domain.ServiceConfigured{Service: im, Name: "im"}},
		{"removal of an unknown service", nil, &domain.ServiceRemoved{Service: 99}},
		{"an account of an unknown person", nil, &domain.PersonPermitted{Person: 99, Service: im}},
		{"an account on an unknown service", nil, &domain.PersonPermitted{Person: 2, Service: 99}},
		{"an account that is another person's is barred", nil, &domain.PersonBarred{Person: 2, Account: bobAccount}},
		{"an unknown person is barred", nil, &domain.PersonBarred{Person: 99}},
		{"an offer to an unknown person", nil, &domain.EnrolmentOffered{Person: 99, ValidFor: time.Hour}},
		{"a device without an offer", nil, &domain.DeviceEnrolled{Person: 2, Offer: 99}},
		{"a device with another person's offer", steps(&domain.EnrolmentOffered{Person: 2}), &domain.DeviceEnrolled{Person: 5, Offer: 11}},
		{"an unknown device is revoked", nil, &domain.DeviceRevoked{Device: 99}},
		{"admission without a request", nil, &domain.LoginAdmitted{Session: first}},
		{"admission of another login", steps(&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount}), &domain.LoginAdmitted{Session: 99}},
		{"admission of an unknown device", steps(&domain.LoginRequested{Device: 99, Service: im}), &domain.LoginAdmitted{Session: first}},
		{"admission to an unknown service", steps(&domain.LoginRequested{Device: alice, Service: 99}), &domain.LoginAdmitted{Session: first}},
		{"a second admission", live(first, alice), &domain.LoginAdmitted{Session: first}},
		{"admission after the end", steps(live(first, alice), &domain.SessionEnded{Session: first}), &domain.LoginAdmitted{Session: first}},
		{"admission after the refusal", steps(&domain.LoginRequested{Device: alice, Service: im}, &domain.LoginRejected{Session: first}), &domain.LoginAdmitted{Session: first}},
		{"acceptance of nobody", nil, &domain.LoginAccepted{Session: 99}},
		{"a second acceptance", steps(live(first, alice), &domain.SessionResumed{Session: first, Fence: 4}), &domain.LoginAccepted{Session: first}},
		{"refusal of nobody", nil, &domain.LoginRejected{Session: 99, Code: domain.RejectBadCredentials}},
		{"coverage lost by nobody", nil, &domain.CoverageLost{Session: 99}},
		{"coverage lost by a pending login", pending(first, alice), &domain.CoverageLost{Session: first}},
		{"coverage regained by a pending login", pending(first, alice), &domain.CoverageRegained{Session: first}},
		{"a pending login is resumed", pending(first, alice), &domain.SessionResumed{Session: first, Fence: 3}},
		{"an older fence", steps(live(first, alice), &domain.SessionResumed{Session: first, Fence: 3}), &domain.SessionResumed{Session: first, Fence: 2}},
		{"nobody is idled out", nil, &domain.SessionIdledOut{Session: 99}},
		{"nobody ends", nil, &domain.SessionEnded{Session: 99}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := given(cast(open, unset[uint32]()), c.given)
			before := w.ledger.State()
			w.record(c.event)
			if diff := cmp.Diff(before, w.ledger.State(), cmpopts.IgnoreFields(domain.State{}, "Position", "Asked")); diff != "" {
				t.Errorf("the state changes (-before +after):\n%s", diff)
			}
		})
	}
}

func TestOneNameOneService(t *testing.T) {
	w := given(&domain.ServiceConfigured{Service: 1, Name: "a"}, &domain.ServiceConfigured{Service: 2, Name: "b"},
		&domain.ServiceConfigured{Service: 2, Name: "a"}, &domain.ServiceRemoved{Service: 1})
	if s, ok := w.ledger.ServiceNamed("a"); !ok || s.ID != 2 {
		t.Errorf("service named a = %+v, %v, want service 2", s, ok)
	}
	if s, ok := w.ledger.ServiceNamed("b"); ok {
		t.Errorf("service named b = %+v, want none", s)
	}
}

// TestApplyTakesAnything folds events that make no sense together, and decides
// on what comes of it: nothing may panic, and the seats still add up.
func TestApplyTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := given(cast(open, unset[uint32]()), twoLive, pending(third, carol))
		replay := domain.NewReplay()
		for _, r := range w.log {
			_ = replay.Next(r)
		}
		for range rapid.IntRange(0, 300).Draw(t, "length") {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(-1000, 100000).Draw(t, "passes")) * time.Millisecond)
			for _, r := range w.record(anyEvent(t)) {
				_ = replay.Next(r) // what it finds is true, and beside the point
			}
			w.ledger.Touch(anyID[domain.SessionID](t), w.now)
			checkSeatsAddUp(t, w.ledger)
		}
		for _, c := range []domain.Command{
			domain.RequestLogin{Device: anyID[domain.DeviceID](t), Service: anyID[domain.ServiceID](t), Account: anyID[domain.AccountID](t)},
			domain.LoseCoverage{Session: anyID[domain.SessionID](t)}, domain.ExpireInactive{},
			domain.RevokeDevice{Device: anyID[domain.DeviceID](t)}, domain.BarPerson{Person: anyID[domain.PersonID](t)},
			domain.RemoveService{Service: anyID[domain.ServiceID](t)}, domain.StartBroker{},
		} {
			events, _ := w.when(c)
			w.record(events...)
			checkSeatsAddUp(t, w.ledger)
		}
		if diff := cmp.Diff(w.ledger.State(), w.folded().State(), cmpopts.IgnoreFields(domain.State{}, "Heard")); diff != "" {
			t.Fatalf("the log gives another state:\n%s", diff)
		}
	})
}

func checkSeatsAddUp(t *rapid.T, l *domain.Ledger) {
	taken := make(map[domain.ServiceID]uint32)
	for s := range l.Seats() {
		taken[s.Service]++
	}
	for s := range l.Services() {
		if s.Seats != taken[s.ID] {
			t.Fatalf("service %d has %d seats, want %d", s.ID, s.Seats, taken[s.ID])
		}
	}
}

// anyID draws a name that often enough is somebody's.
func anyID[T ~uint64](t *rapid.T) T { return T(rapid.Uint64Range(0, 40).Draw(t, "id")) }

func anyEvent(t *rapid.T) domain.Event {
	session := anyID[domain.SessionID](t)
	span := time.Duration(rapid.Int64().Draw(t, "span"))
	n := rapid.Uint32Range(0, 3).Draw(t, "n")
	var optional domain.Optional[uint32]
	if n > 0 {
		optional = some(n - 1)
	}
	settings := domain.Settings{MaxSessions: optional, IdleTimeout: some(span), InactivityTimeout: some(span), Evict: domain.Evict(n)}
	service, person, device := anyID[domain.ServiceID](t), anyID[domain.PersonID](t), anyID[domain.DeviceID](t)
	return rapid.SampledFrom([]domain.Event{
		&domain.BrokerStarted{}, &domain.BrokerStopped{},
		&domain.ServiceConfigured{Service: service, Name: "a", Settings: settings, Total: optional},
		&domain.ServiceRemoved{Service: service},
		&domain.PersonPermitted{Person: person, Service: service},
		&domain.PersonBarred{Person: person, Account: anyID[domain.AccountID](t)},
		&domain.EnrolmentOffered{Person: person, ValidFor: span},
		&domain.DeviceEnrolled{Person: person, Offer: anyID[domain.OfferID](t)},
		&domain.DeviceRevoked{Device: device},
		&domain.LoginRequested{Device: device, Service: service, Account: anyID[domain.AccountID](t)},
		&domain.LoginAdmitted{Session: session, LongestIdle: some(span)},
		&domain.LoginAccepted{Session: session},
		&domain.LoginRejected{Session: session, Code: domain.RejectCode(n * 2), LongestIdle: some(span), IdleSeats: ^uint32(0)},
		&domain.CoverageLost{Session: session, Silent: span}, &domain.CoverageRegained{Session: session},
		&domain.SessionResumed{Session: session, Fence: n},
		&domain.SessionIdledOut{Session: session, Idle: span},
		&domain.SessionEnded{Session: session, Cause: domain.EndCause(n * 3), Idle: some(span)},
	}).Draw(t, "event")
}
