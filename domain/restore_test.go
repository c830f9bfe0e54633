package domain_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
)

// busyState is a state in which every kind of thing is there.
func busyState() domain.State {
	return given(cast(room(9), unset[uint32]()), live(first, alice), live(second, bob), pending(third, carol),
		&domain.LoginRequested{Device: alice, Service: im, Account: aliceAccount}).ledger.State()
}

func TestRestore(t *testing.T) {
	state := busyState()
	restored, err := domain.Restore(state)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(state, restored.State()); diff != "" {
		t.Errorf("the restored ledger has another state (-want +got):\n%s", diff)
	}
	restored.Apply(domain.Record{Position: 20, Time: start, Event: &domain.LoginAdmitted{Session: state.Asked.Session, Seats: 4}})
	if s, ok := restored.Seat(state.Asked.Session); !ok || s.Device != alice {
		t.Errorf("the login that was asked for has the seat %+v, %v", s, ok)
	}
}

func TestRestoreRefuses(t *testing.T) {
	cases := []struct {
		name  string
		wreck func(*domain.State)
		says  string
	}{
		{"a service twice", func(s *domain.State) { s.Services = append(s.Services, s.Services[0]) }, "two services"},
		{"a name twice", func(s *domain.State) {
			s.Services = append(s.Services, domain.Service{ID: 99, Name: s.Services[0].Name})
		}, "two services"},
		{"a seat too few", func(s *domain.State) { s.Seats = s.Seats[1:] }, "has 2 seats, and says 3"},
		{"a seat twice", func(s *domain.State) { s.Seats = append(s.Seats, s.Seats[2]) }, "out of order"},
		{"seats in the wrong order", func(s *domain.State) { slices.Reverse(s.Seats) }, "out of order"},
		{"a seat without a device", func(s *domain.State) { s.Devices = s.Devices[1:] }, "no device"},
		{"a seat that was never heard of", func(s *domain.State) { delete(s.Heard, second) }, "no time"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			state := busyState()
			c.wreck(&state)
			_, err := domain.Restore(state)
			var wrong *domain.StateError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Restore = %v, want a StateError with %q", err, c.says)
			}
		})
	}
}

// Between a service's removal and the ends of its sessions there are seats on a
// service that is gone.
func TestRestoreInTheMiddleOfARemoval(t *testing.T) {
	w := given(cast(open, unset[uint32]()), live(first, alice), live(second, bob), &domain.ServiceRemoved{Service: im})
	restored, err := domain.Restore(w.ledger.State())
	if err != nil {
		t.Fatal(err)
	}
	end := domain.Record{Position: w.ledger.Position() + 1, Time: w.now, Event: &domain.SessionEnded{Session: first, Cause: domain.EndServiceRemoved}}
	w.ledger.Apply(end)
	restored.Apply(end)
	if diff := cmp.Diff(w.ledger.State(), restored.State()); diff != "" {
		t.Errorf("the restored ledger has another state (-want +got):\n%s", diff)
	}
}

// What was read into memory that is used again must not show in the ledger.
func TestApplyKeepsNothingOfTheEvent(t *testing.T) {
	settings := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"tls": "yes"}}
	event := &domain.ServiceConfigured{Service: 1, Name: "im", Settings: settings}
	asked := &domain.LoginRequested{Device: 7, Service: 1}
	l := domain.NewLedger()
	l.Apply(domain.Record{Position: 1, Time: start, Event: event})
	l.Apply(domain.Record{Position: 2, Time: start.Add(time.Second), Event: asked})
	before := l.State()
	want := cmp.Diff(before, domain.State{})
	settings.Options["tls"] = "no"
	*event, *asked = domain.ServiceConfigured{}, domain.LoginRequested{}
	if got := cmp.Diff(l.State(), domain.State{}); got != want {
		t.Errorf("the state has changed with the event:\n%s", got)
	}
}
