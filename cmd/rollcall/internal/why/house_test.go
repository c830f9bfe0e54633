package why_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/why"
	"rollcall/domain"
	"rollcall/eventstore/memlog"
)

var began = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// house is a log that the rules write: service office at position 1, then Ada,
// Bob and Carl with an account and a device each. Their logins begin at 11.
type house struct {
	t      *testing.T
	log    *memlog.Log
	ledger *domain.Ledger
	now    time.Time
}

// The people's devices and accounts.
const (
	ada, adas   = domain.DeviceID(4), domain.AccountID(2)
	bob, bobs   = domain.DeviceID(7), domain.AccountID(5)
	carl, carls = domain.DeviceID(10), domain.AccountID(8)
)

func newHouse(t *testing.T, s domain.Settings, total uint32) *house {
	h := &house{t: t, log: memlog.New(), ledger: domain.NewLedger(), now: began}
	h.set(s, total)
	for _, name := range []string{"Ada", "Bob", "Carl"} {
		p := h.do(domain.PermitPerson{Service: 1},
			side(0, domain.SidePersonName, name), side(0, domain.SideAccountName, strings.ToLower(name)))
		offer := h.do(domain.OfferEnrolment{Person: domain.PersonID(p), ValidFor: time.Hour})
		h.do(domain.EnrolDevice{Offer: domain.OfferID(offer)}, side(0, domain.SideDeviceLabel, "phone"))
	}
	return h
}

func (h *house) set(s domain.Settings, total uint32) {
	s.Kind = domain.KindLocal
	h.do(domain.ConfigureService{Name: "office", Settings: s, DefaultTotal: domain.Some(total)})
}

// side is a side record under a position, or where that is zero under that of the
// first event.
func side(p domain.Position, kind domain.SideKind, value string) domain.Side {
	return domain.Side{SideKey: domain.SideKey{Position: p, Kind: kind}, Value: []byte(value)}
}

// do carries a command out, a second after the one before it, and gives the
// position of its first event.
func (h *house) do(c domain.Command, sides ...domain.Side) domain.Position {
	h.t.Helper()
	h.wait(time.Second)
	events, err := domain.Decide(h.ledger, at(c, h.now))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.write(events, sides...)
}

func (h *house) write(events []domain.Event, sides ...domain.Side) domain.Position {
	h.t.Helper()
	first := h.log.Last() + 1
	batch := domain.Batch{Sides: sides}
	for i, e := range events {
		r := domain.Record{Position: first + domain.Position(i), Time: h.now, Event: e}
		batch.Records = append(batch.Records, r)
		h.ledger.Apply(r)
	}
	for i := range batch.Sides {
		if batch.Sides[i].Position == 0 {
			batch.Sides[i].Position = first
		}
	}
	if _, err := h.log.Append(h.t.Context(), first-1, batch); err != nil {
		h.t.Fatal(err)
	}
	return first
}

func (h *house) wait(d time.Duration) { h.now = h.now.Add(d) }

// at gives a command its time.
func at(c domain.Command, now time.Time) domain.Command {
	timed := reflect.New(reflect.TypeOf(c)).Elem()
	timed.Set(reflect.ValueOf(c))
	timed.FieldByName("At").Set(reflect.ValueOf(now))
	return timed.Interface().(domain.Command)
}

// ask asks for a seat, and gives the session.
func (h *house) ask(d domain.DeviceID, a domain.AccountID) domain.SessionID {
	h.t.Helper()
	return domain.SessionID(h.do(domain.RequestLogin{Device: d, Service: 1, Account: a}))
}

// login lets a device in.
func (h *house) login(d domain.DeviceID, a domain.AccountID) domain.SessionID {
	h.t.Helper()
	s := h.ask(d, a)
	h.do(domain.AcceptLogin{Session: s})
	return s
}

func (h *house) why(p domain.Position) control.Why {
	h.t.Helper()
	w, err := why.Of(h.t.Context(), h.log, control.WhyQuery{Position: p})
	if err != nil {
		h.t.Fatal(err)
	}
	return w
}

// told gives what is told of a decision, a line each.
func told(d control.WhyDecision) string {
	lines := []string{d.Outcome, d.Rule + ": " + d.Reason}
	for _, e := range d.Evidence {
		lines = append(lines, "- "+e)
	}
	if d.Cause != nil {
		lines = append(lines, fmt.Sprintf("cause %d %s", d.Cause.Position, d.Cause.Type))
	}
	for _, row := range d.MadeRoom {
		lines = append(lines, fmt.Sprintf("made room %d %s", row.Session, row.Person))
	}
	if d.Seats != nil {
		var holders []string
		for _, s := range d.Seats.Holders {
			holders = append(holders, fmt.Sprintf("%d %s %s", s.Session, s.Person, s.State))
		}
		lines = append(lines, fmt.Sprintf("seats %d: %s", d.Seats.Taken, strings.Join(holders, ", ")))
	}
	if !d.Same {
		lines = append(lines, "DIFFERS "+d.Difference)
	}
	return strings.Join(lines, "\n")
}
