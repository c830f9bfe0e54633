package domain_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
)

// The cast of every scenario: one service at position 1, then three people with
// an account and a device each. Their logins begin at position 11.
const (
	im domain.ServiceID = 1

	aliceAccount domain.AccountID = 2
	alice        domain.DeviceID  = 4
	bobAccount   domain.AccountID = 5
	bob          domain.DeviceID  = 7
	carolAccount domain.AccountID = 8
	carol        domain.DeviceID  = 10

	first  domain.SessionID = 11 // the first given login
	second domain.SessionID = 14 // after one live session
	third  domain.SessionID = 17 // after two
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func cast(s domain.Settings, total domain.Optional[uint32]) []any {
	given := []any{&domain.ServiceConfigured{Service: im, Name: "im", Settings: s, Total: total}}
	for _, p := range []domain.PersonID{2, 5, 8} {
		given = append(given,
			&domain.PersonPermitted{Person: p, Service: im},
			&domain.EnrolmentOffered{Person: p, ValidFor: time.Hour},
			&domain.DeviceEnrolled{Person: p, Offer: domain.OfferID(p + 1)})
	}
	return given
}

// touch stands in a list of givens for a status message.
type touch domain.SessionID

// steps joins events, touches, durations that pass, and lists of them.
func steps(of ...any) []any {
	var all []any
	for _, step := range of {
		if list, ok := step.([]any); ok {
			all = append(all, list...)
		} else {
			all = append(all, step)
		}
	}
	return all
}

// pending takes the two places from session on.
func pending(session domain.SessionID, device domain.DeviceID) []any {
	account := map[domain.DeviceID]domain.AccountID{alice: aliceAccount, bob: bobAccount, carol: carolAccount}[device]
	return []any{
		&domain.LoginRequested{Device: device, Service: im, Account: account},
		&domain.LoginAdmitted{Session: session, Seats: 1},
	}
}

// live takes the three places from session on.
func live(session domain.SessionID, device domain.DeviceID) []any {
	return append(pending(session, device), &domain.LoginAccepted{Session: session})
}

// world is a ledger with its clock and its log.
type world struct {
	ledger *domain.Ledger
	now    time.Time
	log    []domain.Record
}

func given(of ...any) *world {
	w := &world{ledger: domain.NewLedger(), now: start}
	for _, step := range steps(of...) {
		switch step := step.(type) {
		case domain.Event:
			w.record(step)
		case time.Duration:
			w.now = w.now.Add(step)
		case touch:
			w.ledger.Touch(domain.SessionID(step), w.now)
		default:
			panic("not a step")
		}
	}
	return w
}

func (w *world) record(events ...domain.Event) []domain.Record {
	var records []domain.Record
	for _, e := range events {
		r := domain.Record{Position: w.ledger.Position() + 1, Time: w.ledger.Stamp(w.now), Event: e}
		w.ledger.Apply(r)
		records = append(records, r)
	}
	w.log = append(w.log, records...)
	return records
}

// when decides c, asked now.
func (w *world) when(c domain.Command) ([]domain.Event, error) {
	v := reflect.New(reflect.TypeOf(c)).Elem()
	v.Set(reflect.ValueOf(c))
	v.FieldByName("At").Set(reflect.ValueOf(w.now))
	return domain.Decide(w.ledger, v.Interface().(domain.Command))
}

// folded gives the ledger that the log alone makes.
func (w *world) folded() *domain.Ledger {
	l := domain.NewLedger()
	for _, r := range w.log {
		l.Apply(r)
	}
	return l
}

// scenario is one case: given steps, when a command, then events or an error.
type scenario struct {
	name     string
	settings domain.Settings
	total    domain.Optional[uint32]
	given    []any
	when     domain.Command
	then     []domain.Event
	err      error
}

func run(t *testing.T, cases []scenario) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := given(cast(c.settings, c.total), c.given)
			got, err := w.when(c.when)
			if !errors.Is(err, c.err) {
				t.Fatalf("Decide(%T) error = %v, want %v", c.when, err, c.err)
			}
			if diff := cmp.Diff(c.then, got); diff != "" {
				t.Fatalf("Decide(%T) differs (-want +got):\n%s", c.when, diff)
			}
			checkRedecided(t, w, got)
		})
	}
}

// checkRedecided records the events of a decision and derives them again from
// the log alone.
func checkRedecided(t *testing.T, w *world, events []domain.Event) {
	t.Helper()
	if len(events) == 0 || manyDecisions(events) {
		return
	}
	folded := w.folded()
	if err := domain.Redecide(folded, w.record(events...)); err != nil {
		t.Errorf("Redecide = %v, want none", err)
	}
}

// manyDecisions tells whether a command's events look like several decisions to
// whoever reads the log.
func manyDecisions(events []domain.Event) bool {
	switch events[0].(type) {
	case *domain.PersonPermitted, *domain.SessionEnded:
		return len(events) > 1
	}
	return false
}

func unset[T comparable]() domain.Optional[T] { return domain.Optional[T]{} }

func some[T comparable](v T) domain.Optional[T] { return domain.Some(v) }
