package broker

import (
	"context"
	"time"

	"rollcall/domain"
)

// Link is one device's connection, as the broker sees it. The device adapter
// implements it.
type Link interface {
	// Send writes one message to the device, within a deadline of the adapter's
	// own. It is called from one goroutine at a time. After an error the link
	// is of no more use; the broker then calls Close.
	Send(m ToDevice) error
	// Close closes the connection at once; also while Send is under way, from
	// any goroutine, and more than once.
	Close()
}

// ToDevice is a message from the broker to a device: [Accepted], [Rejected],
// [Resumed], [ResumeRefused], [Item], [State], [Sent], [Pace], [ComeBack],
// [Notice].
type ToDevice interface{ toDevice() }

// Accepted answers a login: the session is live and durable.
type Accepted struct {
	Session domain.SessionID
	// Resume is the secret with which the device takes the session up again. It
	// unseals the credentials; only the device keeps it.
	Resume []byte
	// StatusInterval is how often the device shall send a [Status].
	StatusInterval time.Duration
	// Fence is the number of this link.
	Fence uint32
	// Received is the number in front of the session's first [Item].
	Received uint64
	// Epoch names the numbering of [State] from now on.
	Epoch uint64
}

// Rejected answers a login: it was refused.
type Rejected struct {
	Session    domain.SessionID // the name under which the log holds the login; zero if it holds none
	Code       domain.RejectCode
	RetryAfter time.Duration // zero: no hint
	Text       string        // for people; what the upstream server said
}

// Resumed answers a resume: the session goes on. What the device has not
// acknowledged follows. The device sends its presence again: upstream may have
// been logged in anew.
type Resumed struct {
	Session domain.SessionID
	// Fence is the number of this link. Within one run of the broker it only
	// ever rises; links of an earlier run are gone, whatever their number.
	Fence          uint32
	StatusInterval time.Duration
	// Epoch names the numbering of [State] from now on. Where it is not the one
	// that the device knows, a whole [RosterReceived] follows; else what has
	// changed since.
	Epoch uint64
}

// ResumeRefused answers a resume: the session is over, or cannot go on now.
type ResumeRefused struct {
	Session domain.SessionID
	// Ended tells that the session is over, and why; otherwise the device may
	// try again after RetryAfter.
	Ended      bool
	Cause      domain.EndCause // zero if the session was idled out or is unknown
	IdledOut   bool
	RetryAfter time.Duration
	Text       string
}

// Item is a message that the device shall see. Items are numbered without a gap
// over the life of a mailbox, see [MailboxID], and sent again after a resume until
// they are acknowledged.
type Item struct {
	Number uint64
	// Body is a [MessageReceived], [Sealed] or [Dropped].
	Body any
}

// Sealed is a message as it waited in the inbox, closed by a [Sealer].
type Sealed []byte

// State is news of the roster and of contacts. It is not acknowledged: a device
// that comes back tells up to which number it has heard.
type State struct {
	// Number rises within an epoch; zero for what is not told again.
	Number uint64
	// Body is a [RosterReceived], which replaces all that was known and after
	// which who is not mentioned is offline; a [RosterChanged]; a
	// [PresenceChanged]; or a [TypingChanged].
	Body any
}

// Dropped stands in a device's items for others that could not be kept.
type Dropped struct {
	// Count is how many were dropped: the items up to and including the one
	// that says so.
	Count uint64
}

// Sent answers a [Send]: upstream has taken the message, or refused it.
type Sent struct {
	ID    string
	Error string // for people; empty if it was taken
}

// Pace tells how often the device shall send a [Status] from now on, and asks for
// one at once: an administrator has set other timeouts.
type Pace struct{ StatusInterval time.Duration }

// ComeBack asks the device to leave and to resume after a while: the broker is
// stopping. It is the last message on a link; the session goes on.
type ComeBack struct{ After time.Duration }

// Notice tells that the session is over. It is the last message on a link.
type Notice struct {
	Session  domain.SessionID
	Cause    domain.EndCause // zero if IdledOut
	IdledOut bool            // logged out to make room for somebody else
	Text     string
}

func (Accepted) toDevice()      {}
func (Rejected) toDevice()      {}
func (Resumed) toDevice()       {}
func (ResumeRefused) toDevice() {}
func (Item) toDevice()          {}
func (Sent) toDevice()          {}
func (State) toDevice()         {}
func (Pace) toDevice()          {}
func (ComeBack) toDevice()      {}
func (Notice) toDevice()        {}

// FromDevice is a message from a device with a session: [Status], [Send], [Ack],
// [SetPresence], [Logout].
type FromDevice interface{ fromDevice() }

// Status tells that the device is there.
type Status struct {
	// InUse tells that the person uses the device: it wakes one that is
	// dormant, and gets no news of contacts.
	InUse bool
}

// Send asks to send a message. ID names it for good: the same ID sent again,
// after a resume, is not sent to upstream again but answered again.
type Send struct {
	ID   string
	To   string
	Body string
}

// Ack tells that every [Item] up to Number is safe with the device.
type Ack struct{ Number uint64 }

// SetPresence tells how the person is.
type SetPresence struct{ Presence OwnPresence }

// Logout ends the session.
type Logout struct {
	// Answered tells that the device has heard what became of each of its
	// messages. One that has not asks again in its next session.
	Answered bool
}

func (Status) fromDevice()      {}
func (Send) fromDevice()        {}
func (Ack) fromDevice()         {}
func (SetPresence) fromDevice() {}
func (Logout) fromDevice()      {}

// Session is what a link drives once it has logged in or resumed. Its methods are
// called by the link's reader, one at a time.
type Session interface {
	// Receive hands in a message from the device. It may block while the
	// session is busy, which is how a fast device is slowed down. After an
	// error the link is to be closed: [ErrSessionOver], or a newer link speaks
	// for the session.
	Receive(ctx context.Context, m FromDevice) error
	// Detach tells that the link is gone. The session waits for the device to
	// come back. It is called once, after the last Receive.
	Detach()
}

// Devices is the broker as the device link sees it. It is safe for concurrent
// use.
type Devices interface {
	// Identify gives the device with that public key: [ErrUnknownKey] or
	// [domain.ErrDeviceRevoked] where there is none to talk to.
	Identify(key []byte) (domain.DeviceID, error)
	// Enrol redeems an enrolment string: [ErrUnknownSecret],
	// [domain.ErrOfferExpired] or [domain.ErrOfferSpent] where it cannot.
	Enrol(ctx context.Context, e Enrolment) (domain.DeviceID, error)
	// Login decides on a login and answers it on the link, which the broker
	// sends on from then on. It gives the session if the login was accepted,
	// and nil if it was refused. An error means that the broker is stopping and
	// nothing was answered. ctx ends when the link is lost.
	Login(ctx context.Context, login Login, link Link) (Session, error)
	// Resume takes a session up on a new link, and answers on the link, as
	// Login does.
	Resume(ctx context.Context, resume Resume, link Link) (Session, error)
}

// Login is a device's wish to log in.
type Login struct {
	Device   domain.DeviceID
	Service  domain.ServiceName
	Account  string
	Password string
	// Address is where the link comes from; kept as a side record.
	Address string
}

// Resume is a device's wish to take a session up again on a new link.
type Resume struct {
	Device  domain.DeviceID
	Session domain.SessionID
	Secret  []byte
	// Received is the highest number of an [Item] that is safe with the device.
	Received uint64
	// Epoch and State tell up to which [State] the device has heard.
	Epoch   uint64
	State   uint64
	Address string
}

// Enrolment is a device's wish to be known.
type Enrolment struct {
	Secret []byte // from the enrolment string
	Key    []byte // the device's public key, proven by the handshake
	Label  string // what the person calls the device
}
