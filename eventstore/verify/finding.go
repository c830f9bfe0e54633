package verify

import (
	"fmt"
	"time"

	"rollcall/domain"
)

// Kind says what is wrong.
type Kind uint8

// The kinds of findings, each with the type of its error.
const (
	Damage    Kind = iota + 1 // cannot be read: *[rollcall/eventstore.DamageError]
	Unknown                   // from a newer version: *[rollcall/eventstore/codec.UnknownEventError], or a *[SideError]
	Order                     // positions are not dense: *[PositionError]
	Time                      // the time goes back: *[TimeError]
	Reference                 // a reference to the wrong kind of event: *[ReferenceError]
	Side                      // a side record out of place: *[SideError]
	Decision                  // not what the rules give: *[domain.MismatchError]
	Chain                     // a digest over the log is wrong: *[rollcall/eventstore.ChainError]
)

var kindNames = [...]string{
	Damage: "damage", Unknown: "unknown", Order: "order", Time: "time",
	Reference: "reference", Side: "side-record", Decision: "decision", Chain: "chain",
}

// String gives the printed name, such as "damage".
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// Finding is one thing that is wrong with a log.
type Finding struct {
	Kind Kind
	// From and To are the first and the last position it concerns.
	From, To domain.Position
	Err      error
}

// PositionError tells that a record does not stand where it should.
type PositionError struct {
	Expected domain.Position
	Actual   domain.Position // zero where the log ends too early
}

func (e *PositionError) Error() string {
	if e.Actual == 0 {
		return fmt.Sprintf("the log ends in front of position %d", e.Expected)
	}
	return fmt.Sprintf("position %d was to follow, and position %d does", e.Expected, e.Actual)
}

// TimeError tells that a record's time is before that of the one in front of it,
// or not UTC in whole milliseconds.
type TimeError struct {
	Position     domain.Position
	Time, Before time.Time
}

func (e *TimeError) Error() string {
	return fmt.Sprintf("the time of position %d, %s, does not follow %s", e.Position, e.Time.Format(time.RFC3339Nano), e.Before.Format(time.RFC3339Nano))
}

// ReferenceError tells that a field of an event refers to something that it
// cannot mean.
type ReferenceError struct {
	Position domain.Position
	Event    domain.EventType
	Field    string // such as "session"
	To       domain.Position
	Actual   domain.EventType // what stands there; zero where nothing does
	Wanted   string           // such as "login-requested"
}

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("%v at position %d: its %s is position %d, which is %s, not %s", e.Event, e.Position, e.Field, e.To, standing(e.Actual), e.Wanted)
}

// SideError tells that a side record stands where it means nothing, or holds what
// it cannot.
type SideError struct {
	Key     domain.SideKey
	Actual  domain.EventType // what stands at its position; zero where nothing does
	Problem string
}

func (e *SideError) Error() string {
	return fmt.Sprintf("the side record of kind %d under position %d, which is %s: %s", e.Key.Kind, e.Key.Position, standing(e.Actual), e.Problem)
}

// standing says what stands at a position.
func standing(t domain.EventType) string {
	if t == 0 {
		return "no event"
	}
	return t.String()
}
