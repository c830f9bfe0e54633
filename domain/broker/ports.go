package broker

import (
	"context"
	"fmt"
	"iter"
	"time"

	"rollcall/domain"
)

// Log is where events are written and read: the part of the event store that
// the broker needs.
type Log interface {
	// ID names the log.
	ID() domain.LogID
	// Append writes the batch behind the record at after. On return without an
	// error it is durable as a whole; otherwise none of it is to be relied on.
	Append(ctx context.Context, after domain.Position, batch domain.Batch) (domain.Position, error)
	// Read gives the records from position from on, ascending, up to the last
	// one there is.
	Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error]
	// Blocks gives the records that Read gives, many at a time. A slice and the
	// events in it are valid only until the next step.
	Blocks(ctx context.Context, from domain.Position) iter.Seq2[[]domain.Record, error]
	// SidesOf gives those of some side records that there are, in the order of
	// the keys, which are sorted by position and kind.
	SidesOf(ctx context.Context, keys []domain.SideKey) iter.Seq2[domain.Side, error]
	// Sides gives every side record, by position and kind.
	Sides(ctx context.Context) iter.Seq2[domain.Side, error]
	// Side gives one side record; ok is false if there is none.
	Side(ctx context.Context, key domain.SideKey) (value []byte, ok bool, err error)
}

// Clock tells the time and wakes at one.
type Clock interface {
	// Now gives the time, which may step where the clock is set.
	Now() time.Time
	// Elapsed gives the time since some moment, which does not step.
	Elapsed() time.Duration
	// AfterFunc calls f on a goroutine of its own after d, unless stop is called
	// before that.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Connector opens conversations with servers of one kind. It is safe for
// concurrent use.
type Connector interface {
	// Kind is the kind of service that the connector serves.
	Kind() domain.Kind
	// Total is the protocol's total of sessions on one server; unset if the
	// protocol has none.
	Total() domain.Optional[uint32]
	// Check gives an error that names the setting, the fault and the remedy
	// where the settings are not ones this connector can work with. It does no
	// I/O to the server.
	Check(settings domain.Settings) error
	// Login opens a connection of the session's own and logs in. From then on
	// until the conversation ends it calls sink, from one goroutine at a time;
	// the first call may come before Login returns. ctx bounds the login only.
	// A refusal is an *[UpstreamError]. The password is not kept.
	Login(ctx context.Context, login UpstreamLogin, sink Sink) (Conversation, error)
}

// UpstreamLogin is what a connector needs to log a person in.
type UpstreamLogin struct {
	Session  domain.SessionID
	Settings domain.Settings
	Account  string
	Password string
}

// Conversation is one session's own connection to the upstream server. Its
// methods are called from one goroutine at a time.
type Conversation interface {
	// Send sends one message, and returns when the server has it. An error that
	// is a *[SendError] concerns this message only. Where ctx was done first its
	// error tells that nobody knows: the same message, with the same ID, may be
	// asked for again. Any other means that the conversation is over, and the
	// sink is told so too.
	Send(ctx context.Context, m OutgoingMessage) error
	// SetPresence tells the contacts how the person is.
	SetPresence(ctx context.Context, p OwnPresence) error
	// Acknowledge tells that the events up to seq are safe with the broker, so
	// that the server need not keep them. It does not block, and may be called
	// from any goroutine at any time, from within Deliver too; numbers that do
	// not rise are ignored.
	Acknowledge(seq uint64)
	// Logout ends the conversation in the protocol's proper way, within the
	// bounds of ctx, and frees what it holds whatever happens. The sink is not
	// called after it returns. Calling it again does nothing.
	Logout(ctx context.Context) error
}

// Sink takes what comes from upstream.
type Sink interface {
	// Deliver takes the next event. It may block while the session is busy,
	// which is how a fast server is slowed down; it returns early when the
	// session is over. seq rises by one with each call, from 1, and is what
	// [Conversation.Acknowledge] refers to.
	//
	// It is never called from within a call that the session makes (Login aside,
	// which may deliver what came with it): Send, SetPresence, Acknowledge and
	// Logout hand on what they cause from another goroutine, or the session
	// would wait for itself. The session, for its part, never calls Logout from
	// within Deliver, nor waits there for a call that it makes: Send may wait until
	// Deliver has returned.
	Deliver(seq uint64, e UpstreamEvent)
}

// Refuser is what a [Sink] may be besides: one that tells at once where it has no
// room, to a server that can refuse a message to its sender.
type Refuser interface {
	// Offer is Deliver for a message, except that it does not wait for room: it
	// gives [ErrInboxFull], and does not have the message then, nor had it before.
	Offer(seq uint64, m MessageReceived) error
}

// UpstreamEvent is one of [MessageReceived], [PresenceChanged], [RosterReceived],
// [RosterChanged], [TypingChanged] and [Closed].
type UpstreamEvent interface{ upstreamEvent() }

// MessageReceived is a message for the person. A message of the person's own
// that was sent from another client is not delivered.
type MessageReceived struct {
	// ID is the server's or sender's name for the message; may be empty.
	ID string
	// From is the contact's address, without a resource.
	From string
	Body string
	// Sent is when the message was sent where the server tells; else zero.
	Sent time.Time
}

// Show is how available somebody is.
type Show uint8

// The states of presence. The numbers are sent to devices: never reused.
const (
	ShowOffline   Show = 1
	ShowAvailable Show = 2
	ShowAway      Show = 3
	ShowBusy      Show = 4
	ShowIdle      Show = 5
)

var shows = [...]string{ShowOffline: "offline", ShowAvailable: "available", ShowAway: "away", ShowBusy: "busy", ShowIdle: "idle"}

// String gives the printed name, such as "available".
func (s Show) String() string {
	if int(s) < len(shows) && shows[s] != "" {
		return shows[s]
	}
	return fmt.Sprintf("show-%d", uint8(s))
}

// ParseShow gives the Show with that printed name.
func ParseShow(text string) (Show, bool) {
	for s, name := range shows {
		if name == text && name != "" {
			return Show(s), true
		}
	}
	return 0, false
}

// PresenceChanged tells how a contact is from now on.
type PresenceChanged struct {
	Contact string
	Show    Show
	Text    string // what the contact says of it; may be empty
}

// Contact is an entry of the person's roster.
type Contact struct {
	Address string
	Name    string
	Groups  []string
}

// RosterReceived is the person's whole roster. Each conversation delivers it
// once, before any presence.
type RosterReceived struct{ Contacts []Contact }

// RosterChanged adds or replaces a contact, or removes it.
type RosterChanged struct {
	Contact Contact
	Removed bool
}

// TypingChanged tells that a contact began or stopped typing.
type TypingChanged struct {
	Contact string
	Typing  bool
}

// Closed tells that the conversation is over without a Logout; it is the last
// event.
type Closed struct {
	// Err says why; an *[UpstreamError] where the server said so.
	Err error
}

func (MessageReceived) upstreamEvent() {}
func (PresenceChanged) upstreamEvent() {}
func (RosterReceived) upstreamEvent()  {}
func (RosterChanged) upstreamEvent()   {}
func (TypingChanged) upstreamEvent()   {}
func (Closed) upstreamEvent()          {}

// OutgoingMessage is a message from the person.
type OutgoingMessage struct {
	// ID is the device's name for the message: the same for the same message,
	// also when it is sent again after a lost link.
	ID   string
	To   string
	Body string
}

// OwnPresence is how the person is.
type OwnPresence struct {
	Show Show
	Text string
}

// UpstreamError tells why an upstream server let nobody in, or threw somebody
// out. It never holds a password.
type UpstreamError struct {
	// Code is one of the bad-credentials and upstream-… codes.
	Code domain.RejectCode
	// Text is what the server said, or what went wrong; for people.
	Text string
	// Err is the cause; may be nil.
	Err error
}

func (e *UpstreamError) Error() string {
	if e.Text == "" && e.Err != nil {
		return fmt.Sprintf("%v: %v", e.Code, e.Err)
	}
	return fmt.Sprintf("%v: %s", e.Code, e.Text)
}

func (e *UpstreamError) Unwrap() error { return e.Err }

// SendError tells that one message could not be sent; the conversation goes on.
type SendError struct {
	// Text is for people, such as "no such recipient".
	Text string
}

func (e *SendError) Error() string { return "message not sent: " + e.Text }
