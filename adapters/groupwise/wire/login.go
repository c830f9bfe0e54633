package wire

import "strings"

// CommandLogin is the first request of a connection.
const CommandLogin = "login"

// The levels of the protocol that a client can say it speaks.
const (
	LevelMessenger  = 2 // GroupWise Messenger 6.5, which every client and server speaks
	LevelBroadcasts = 4 // events 122 and 123
)

// Login is what a login request says.
type Login struct {
	User      string
	Password  string
	UserAgent string // such as "Purple/2.14.12 (Linux; 6.1)"
	Level     uint32
	Address   string // the client's own, as text
}

// Fields gives the request's fields.
func (l Login) Fields() Fields {
	return Fields{
		TextField(TagUserID, l.User),
		TextField(TagCredentials, l.Password),
		TextField(TagUserAgent, l.UserAgent),
		NumberField(TagBuild, l.Level),
		TextField(TagAddress, l.Address),
	}
}

// ParseLogin reads a request's fields.
func ParseLogin(fields Fields) Login {
	level, _ := fields.Number(TagBuild) // zero: a client older than any level
	return Login{
		User: fields.Value(TagUserID), Password: fields.Value(TagCredentials), UserAgent: fields.Value(TagUserAgent),
		Level: level, Address: fields.Value(TagAddress),
	}
}

// LoginAnswer is what the answer to a login says.
type LoginAnswer struct {
	Self      Person
	KeepAlive uint32 // minutes between pings; zero where the server does not say
	Contacts  ContactList
}

// Fields gives the answer's fields. A scalar stands first, as clients expect.
func (a LoginAnswer) Fields() Fields {
	fields := a.Self.Fields()
	if a.KeepAlive > 0 {
		fields = append(fields, NumberField(TagKeepAlive, a.KeepAlive))
	}
	return append(fields, a.Contacts.Field())
}

// ParseLoginAnswer reads an answer's fields.
func ParseLoginAnswer(fields Fields) LoginAnswer {
	own := fields
	if len(fields) > 0 && fields[0].Type == Array && !strings.EqualFold(fields[0].Tag, TagContactList) {
		own = fields[0].Fields // some servers wrap the person's own details
	}
	minutes, _ := fields.Number(TagKeepAlive)
	return LoginAnswer{Self: ParsePerson(own), KeepAlive: minutes, Contacts: ParseContactList(fields.Array(TagContactList))}
}
