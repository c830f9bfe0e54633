package connectortest

import (
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// Claim is something that a protocol can do, or that a harness lets the suite
// bring about. Claims are joined with |.
type Claim uint

// The claims.
const (
	// Network: the server is reached over TCP at Settings.Address. The suite
	// then puts other addresses there: one where nobody listens, one where
	// nobody answers, and a relay that it can cut.
	Network Claim = 1 << iota
	// Roster: the people of the harness are in each other's rosters.
	Roster
	// Presence: contacts see each other come, go and change. Needs Roster.
	Presence
	// PresenceText: the text of a presence arrives too.
	PresenceText
	// Typing: contacts see each other type. Needs Harness.Type.
	Typing
	// Acknowledgement: what was not acknowledged when the connection broke is
	// delivered again after the next login, and what was is not. Needs Network.
	Acknowledgement
	// Restart: the server can go away and come back. Needs Harness.Stop and
	// Harness.Start.
	Restart
	// SharedAccounts: an account can be logged in several times at once, and
	// every session gets the messages.
	SharedAccounts
	// OfflineMessages: a message to somebody who is not logged in is kept for
	// the next login. Where this is not claimed, sending one must be refused
	// with a *[broker.SendError]: it is never lost in silence.
	OfflineMessages
	// RefusesUnknown: sending to nobody the server knows is refused with a
	// *[broker.SendError].
	RefusesUnknown
	// Limit: the server can be full. Needs Harness.Fill.
	Limit
	// Receipts: Send returns when the recipient's sessions have acknowledged
	// the message.
	Receipts
)

// Harness is a connector with a server to try it on. The server runs when Run is
// called.
type Harness struct {
	Connector broker.Connector
	// Settings lead to the server.
	Settings domain.Settings
	// People are at least three accounts on the server, logged in nowhere.
	People []Person
	Claims Claim
	// Refused are settings that Check must refuse, by the name of the setting
	// that its error has to name.
	Refused map[string]domain.Settings
	// Wait bounds each single wait for the server; 10 s where it is zero.
	Wait time.Duration

	// Stop takes the server away, and Start brings it back at the same address
	// with the same people.
	Stop, Start func(t *testing.T)
	// Arrive makes a message from one person to another arrive from outside of
	// the connector. Where it is nil, the sender logs in and sends it.
	Arrive func(t *testing.T, from, to Person, body string)
	// Type makes a person seem to begin or to stop typing to another, who is
	// logged in.
	Type func(t *testing.T, from, to Person, typing bool)
	// Fill makes the server have no room for one more session until free is
	// called.
	Fill func(t *testing.T) (free func())
}

// Person is an account on the server.
type Person struct {
	Account  string // as it is logged in with
	Password string
	Address  string // as contacts see it; Account where it is empty
	Name     string // as it stands in rosters; not looked at where it is empty
}

func (p Person) address() string {
	if p.Address == "" {
		return p.Account
	}
	return p.Address
}

func (h *Harness) claims(c Claim) bool { return h.Claims&c == c }

// check fails the test where the harness cannot deliver what it claims.
func (h *Harness) check(t *testing.T) {
	t.Helper()
	for _, fault := range []struct {
		is   bool
		text string
	}{
		{h.Connector == nil, "Connector is missing"},
		{len(h.People) < 3, "three People are needed"},
		{h.claims(Network) && h.Settings.Address == "", "Network needs Settings.Address"},
		{h.claims(Presence) && !h.claims(Roster), "Presence needs Roster"},
		{h.claims(Typing) && h.Type == nil, "Typing needs Type"},
		{h.claims(Acknowledgement) && !h.claims(Network), "Acknowledgement needs Network"},
		{h.claims(Restart) && (h.Stop == nil || h.Start == nil), "Restart needs Stop and Start"},
		{h.claims(Limit) && h.Fill == nil, "Limit needs Fill"},
	} {
		if fault.is {
			t.Fatal("harness: " + fault.text)
		}
	}
	if h.Wait == 0 {
		h.Wait = 10 * time.Second
	}
}
