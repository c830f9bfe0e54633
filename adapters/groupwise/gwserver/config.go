package gwserver

import (
	"crypto/tls"
	"time"

	"rollcall/adapters/groupwise/wire"
)

// Organisation is where all users stand in the directory.
const Organisation = "o=double"

// Config is what a server is made of.
type Config struct {
	Certificate tls.Certificate
	Users       []User
	// MaxSessions is how many sessions there may be at a time; zero: any number.
	// One more login is answered with FullCode.
	MaxSessions int
	FullCode    wire.Code // ServerBusy where it is zero
	// SeveralSignOns lets a user have several sessions. Without it, as in the
	// first versions of the product, a new one ends the one before.
	SeveralSignOns bool
	// KeepAlive is what the answer to a login says of pings, in minutes; zero: it
	// says nothing.
	KeepAlive uint32
	// IdleLimit is how long a client may say nothing; zero: any time.
	IdleLimit time.Duration
	// WriteLimit is how long a client may take nothing; 30 s where it is zero.
	WriteLimit time.Duration
	// Writes, if set, changes how bytes reach the clients.
	Writes Shape
	// Trace, if set, is called with each message on its way, as one line without
	// passwords. It must not block.
	Trace func(session int, line string)
	// Tap, if set, is called with what a client sends, as it comes: the password
	// stands in it. It must not block.
	Tap func(session int, b []byte)
}

// User is somebody in the directory.
type User struct {
	Name      string // the user id, which is also the display id
	Password  string
	GivenName string
	Surname   string
	FullName  string // made of the names where it is empty
	Title     string
	Contacts  []Entry
}

// Entry is a person in a user's contact list.
type Entry struct {
	Person string // a user id
	Folder string // empty: in no folder
	Name   string // as the user calls the person; the person's full name where it is empty
}

// Shape is how bytes reach a client.
type Shape struct {
	// Piece is how many bytes are written at a time; zero: each message at once.
	Piece int
	// Pause is the time between two pieces.
	Pause time.Duration
}
