package control

import (
	"time"

	"github.com/google/uuid"

	"rollcall/domain"
)

// WhyQuery asks for the account of one event.
type WhyQuery struct {
	Position domain.Position `json:"position"`
	// Brief names only the first few of those who held the seats.
	Brief bool `json:"brief,omitempty"`
}

// Why is the account of one event and, where that is about a session, of the
// session: what was decided, by which rule, and on what evidence.
type Why struct {
	// Event is the one that was asked about.
	Event AuditRow `json:"event"`
	// Decisions are, in the order of the log, the one that the event belongs to
	// and those that let the session in, refused it or ended it.
	Decisions []WhyDecision `json:"decisions"`
	// Session is nil where the event is about none.
	Session *WhySession `json:"session,omitempty"`
}

// WhyDecision is the account of one decision.
type WhyDecision struct {
	// Event tells what was decided. Its fields are the evidence.
	Event AuditRow `json:"event"`
	// First and Last are the positions of all that was written with the decision.
	First domain.Position `json:"first"`
	Last  domain.Position `json:"last"`
	// Outcome is what was decided, in words.
	Outcome string `json:"outcome"`
	// Rule names what decided, and Reason says it in words; the rules are listed
	// in docs/operating.md.
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	// Evidence is in words what the event relies on, and Next what can be done
	// about a refusal.
	Evidence []string `json:"evidence,omitempty"`
	Next     string   `json:"next,omitempty"`
	// Cause is the event that the decision was made on, where that is about
	// somebody or something else: the newcomer's login-requested, for a session
	// that made room.
	Cause *AuditRow `json:"cause,omitempty"`
	// MadeRoom are the sessions that the decision logged out for the login.
	MadeRoom []AuditRow `json:"made_room,omitempty"`
	// Settings are those of the service that held; nil where there is none.
	Settings *WhySettings `json:"settings,omitempty"`
	// Seats tells, for a refusal, who held the seats.
	Seats *WhySeats `json:"seats,omitempty"`
	// Same tells that the rules give the same decision on the log in front of it;
	// where they do not, Difference says what they give.
	Same       bool   `json:"same"`
	Difference string `json:"difference,omitempty"`
}

// WhySettings are the settings of a service as they held, and the event that set
// them. Seats are those that were taken in front of the decision.
type WhySettings struct {
	Service
	Position domain.Position `json:"position"`
	Time     time.Time       `json:"time"`
}

// WhySeats are the seats of a service right behind a decision.
type WhySeats struct {
	Taken uint32 `json:"taken"`
	// Holders are those who held them, by session; only the first few where
	// the account is brief.
	Holders []Holder `json:"holders"`
}

// Holder is somebody who held a seat. A name is empty where its side record has
// been deleted.
type Holder struct {
	Session domain.SessionID `json:"session"`
	UUID    uuid.UUID        `json:"uuid"`
	Account string           `json:"account,omitempty"`
	Person  string           `json:"person,omitempty"`
	Device  domain.DeviceID  `json:"device"`
	Label   string           `json:"label,omitempty"` // the device's
	State   State            `json:"state"`
	// Heard is when the device was last heard of, as far as the events prove it.
	Heard time.Time `json:"heard"`
}

// WhySession is the course of a session.
type WhySession struct {
	ID   domain.SessionID `json:"id"`
	UUID uuid.UUID        `json:"uuid"`
	// State is how the session is at the end of the log, or how it came to its
	// end: also StateRefused or StateEnded.
	State State `json:"state"`
	// Course are its events. Of those about coverage only the latest are among
	// them, and Omitted is how many are not.
	Course  []AuditRow `json:"course"`
	Omitted uint64     `json:"omitted"`
}

// The states of a session that is over.
const (
	StateRefused State = "refused"
	StateEnded   State = "ended"
)
