package verify

import (
	"slices"

	"rollcall/domain"
)

// things says of each position which event stands there: what later events may
// refer to. A byte an event keeps ten million of them in ten megabytes.
type things struct {
	events []uint8
	last   domain.Position // of the log
}

// begins marks an event that names a person or a service by its own position.
const begins = 0x80

// note takes in a record.
func (t *things) note(r domain.Record) {
	for int(r.Position) >= len(t.events) {
		t.events = append(t.events, 0) // what is lost in between
	}
	b := uint8(r.Event.Type())
	if beginsThing(r) {
		b |= begins
	}
	t.events[r.Position] = b
}

func beginsThing(r domain.Record) bool {
	switch e := r.Event.(type) {
	case *domain.ServiceConfigured:
		return domain.Position(e.Service) == r.Position
	case *domain.PersonPermitted:
		return domain.Position(e.Person) == r.Position
	case *domain.EnrolmentOffered:
		return domain.Position(e.Person) == r.Position
	}
	return false
}

// at gives which event stands at a position; zero where it is lost or none.
func (t *things) at(p domain.Position) domain.EventType {
	return domain.EventType(t.event(p) &^ begins)
}

func (t *things) event(p domain.Position) uint8 {
	if p >= domain.Position(len(t.events)) {
		return 0
	}
	return t.events[p]
}

// thing is something that events refer to.
type thing struct {
	wanted string             // what it is called in a finding
	by     []domain.EventType // the events that name it by their positions
	begins bool               // only where they begin it
}

var (
	aService  = &thing{"the service-configured that begins a service", []domain.EventType{domain.TypeServiceConfigured}, true}
	aPerson   = &thing{"the event that begins a person", []domain.EventType{domain.TypePersonPermitted, domain.TypeEnrolmentOffered}, true}
	anAccount = &thing{"a person-permitted", []domain.EventType{domain.TypePersonPermitted}, false}
	anOffer   = &thing{"an enrolment-offered", []domain.EventType{domain.TypeEnrolmentOffered}, false}
	aDevice   = &thing{"a device-enrolled", []domain.EventType{domain.TypeDeviceEnrolled}, false}
	aSession  = &thing{"a login-requested", []domain.EventType{domain.TypeLoginRequested}, false}
)

// is tells whether the event at a position is such a thing. What is lost may be
// anything.
func (t *things) is(what *thing, p domain.Position) bool {
	event := t.event(p)
	switch {
	case p == 0 || p > t.last:
		return false
	case event == 0:
		return true
	case what.begins && event&begins == 0:
		return false
	}
	return slices.Contains(what.by, t.at(p))
}
