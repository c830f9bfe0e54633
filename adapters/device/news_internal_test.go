package device

import (
	"errors"
	"testing"

	"rollcall/domain/broker"
)

// A roster in parts must not fill a device's memory.
func TestPartsOfARosterAreBounded(t *testing.T) {
	many := make([]broker.Contact, 40_000)
	for name, contacts := range map[string][]broker.Contact{"many contacts": many, "no contacts": nil} {
		s := &Session{}
		part := statePart{State: broker.State{Body: broker.RosterReceived{Contacts: contacts}}, more: true}
		var err error
		n := 0
		for ; err == nil && n < 10_000; n++ {
			err = s.takeState(part, Handler{})
		}
		if !errors.Is(err, ErrMessage) || !lost(err) || n > maxParts+1 {
			t.Errorf("%s: %v after %d parts, want the link given up", name, err, n)
		}
	}
	s := &Session{}
	if err := s.takeState(statePart{State: broker.State{Body: broker.RosterReceived{}}, more: true}, Handler{}); err != nil {
		t.Fatal(err)
	}
	if err := s.takeState(statePart{State: broker.State{Body: broker.PresenceChanged{}}}, Handler{}); !errors.Is(err, ErrMessage) {
		t.Errorf("a presence within a roster: %v, want the link given up", err)
	}
}
