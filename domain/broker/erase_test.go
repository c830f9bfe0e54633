package broker_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestErasePerson(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.device("ann"), h.device("bob")
	_, annLink := h.login(ann, "ann")
	h.login(ann, "canary-asked-for")
	h.login(bob, "bob")
	if err := h.BarPerson(t.Context(), "ann"); err != nil { // the ledger forgets what is barred
		t.Fatal(err)
	}
	open, err := h.OfferEnrolment(t.Context(), broker.Offer{Person: "ann", Accounts: []broker.AccountRef{{Service: "im", Account: "ann-again"}}, ValidFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	before := h.log.sidesOf(t)

	erased, err := h.ErasePerson(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	left := h.log.sidesOf(t)
	if want := len(before) - len(left); erased.Devices != 1 || erased.Sides != want || want == 0 {
		t.Errorf("erased %+v, want one device and %d side records", erased, want)
	}
	for key, value := range left {
		if bytes.Contains(value, []byte("ann")) || bytes.Contains(value, []byte("canary")) {
			t.Errorf("side record %+v is still %q", key, value)
		}
		if domain.Position(erased.Person) == key.Position {
			t.Errorf("side record %+v stands under the person", key)
		}
	}
	if n := first[broker.Notice](t, annLink); n.Session == 0 {
		t.Errorf("the device was told %+v", n)
	}
	if _, err := h.Enrol(t.Context(), broker.Enrolment{Secret: open.Secret, Key: bytes.Repeat([]byte{99}, 32)}); !errors.Is(err, broker.ErrUnknownSecret) {
		t.Errorf("Enrol with an open offer: %v, want ErrUnknownSecret", err)
	}
	if _, err := h.Identify(bytes.Repeat([]byte{1}, 32)); !errors.Is(err, broker.ErrUnknownKey) {
		t.Errorf("Identify: %v, want ErrUnknownKey", err)
	}
	if _, err := h.ErasePerson(t.Context(), "ann"); !errors.Is(err, domain.ErrUnknownPerson) {
		t.Errorf("erase again: %v, want ErrUnknownPerson", err)
	}
	if _, link := h.login(bob, "bob"); len(link.all()) == 0 {
		t.Errorf("bob is touched too")
	}
	replayed := domain.NewReplay()
	for r, err := range h.log.Read(t.Context(), 1) {
		if err := errors.Join(err, replayed.Next(r)); err != nil {
			t.Errorf("the log does not follow from itself: %v", err)
		}
	}
}

// What was erased stays so after a restart, and the name can begin another person.
func TestErasedPersonMayComeAgain(t *testing.T) {
	h := newHouse(t)
	h.device("ann")
	erased, err := h.ErasePerson(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := open(t, h.log, h.up)
	if err := again.BarPerson(t.Context(), "ann"); !errors.Is(err, domain.ErrUnknownPerson) {
		t.Errorf("BarPerson: %v, want ErrUnknownPerson", err)
	}
	again.keys = 9
	again.device("ann")
	other, err := again.ErasePerson(t.Context(), "ann")
	if err != nil || other.Person == erased.Person {
		t.Errorf("the second person is %d, %v; the first was %d", other.Person, err, erased.Person)
	}
}

func (m *memory) sidesOf(t *testing.T) map[domain.SideKey][]byte {
	t.Helper()
	all := make(map[domain.SideKey][]byte)
	for s, err := range m.Sides(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all[s.SideKey] = s.Value
	}
	return all
}
