package control

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/google/uuid"

	"rollcall/domain"
)

// Operator is everything that an operator can ask of an appliance. It is safe
// for concurrent use.
//
// Errors keep their identity whichever implementation is asked: test them with
// errors.Is against the errors of domain, of io/fs and of this package, and with
// errors.As against *[domain.SettingError].
//
// What gives an iterator works while it is ranged over: leaving the loop or
// ending ctx stops it, and an error is the last thing it yields.
type Operator interface {
	// SetService changes a service's settings, or makes the service where there
	// is none of that name, and gives it as it then stands. Only what the change
	// names is touched. A *[domain.SettingError] tells what cannot be set.
	SetService(ctx context.Context, c ServiceChange) (Service, error)
	// Services gives every service, by name.
	Services(ctx context.Context) ([]Service, error)
	// RemoveService removes a service and ends its sessions:
	// [domain.ErrUnknownService].
	RemoveService(ctx context.Context, name domain.ServiceName) error

	// EnrolDevice makes a one-time string with which a device of the person can
	// join, and permits the person the accounts named:
	// [domain.ErrUnknownService], [domain.ErrOfferTime].
	EnrolDevice(ctx context.Context, e Enrolment) (Enrolled, error)
	// Devices gives every enrolled device, revoked ones included, by id.
	Devices(ctx context.Context) ([]Device, error)
	// RevokeDevice takes a device's key away and ends its sessions:
	// [domain.ErrUnknownDevice], [domain.ErrDeviceRevoked].
	RevokeDevice(ctx context.Context, id domain.DeviceID) error
	// BarPerson takes all accounts from a person and ends the sessions that use
	// them: [domain.ErrUnknownPerson].
	BarPerson(ctx context.Context, person string) error
	// ErasePerson takes accounts and devices from a person and deletes the
	// personal data: [domain.ErrUnknownPerson].
	ErasePerson(ctx context.Context, person string) (Erased, error)

	// Sessions gives every pending login and live session, by id.
	Sessions(ctx context.Context) ([]Session, error)
	// SessionsAt gives the sessions as they were at a time in the past, folded
	// from the log. Silence is not in the log: Heard is what the events prove.
	SessionsAt(ctx context.Context, at time.Time) ([]Session, error)
	// EndSession ends a session: [domain.ErrUnknownSession].
	EndSession(ctx context.Context, id domain.SessionID) error
	// Count gives the seats of each service by state, by service name.
	Count(ctx context.Context) ([]Count, error)

	// Audit gives the events that pass the filter, in the order of the log.
	Audit(ctx context.Context, f AuditFilter) iter.Seq2[AuditRow, error]
	// Why gives the account of an event, from the log alone: [ErrUnknownEvent].
	Why(ctx context.Context, q WhyQuery) (Why, error)
	// Rebuild makes projections anew from the log and gives progress a few times
	// a second; the last report of each projection has Done set:
	// [ErrUnknownProjection].
	Rebuild(ctx context.Context, r Rebuild) iter.Seq2[RebuildProgress, error]
	// Backup writes the whole log, as of now, into a new file that belongs to
	// the appliance's user: [io/fs.ErrExist] where there is one already. A
	// relative path is taken from the caller's working folder.
	Backup(ctx context.Context, path string) (BackupDone, error)
	// Status tells how the appliance is.
	Status(ctx context.Context) (Status, error)
}

// ServiceChange is a partial change of a service's settings. A nil field is not
// touched.
type ServiceChange struct {
	Name              domain.ServiceName `json:"name"`
	Kind              *domain.Kind       `json:"kind,omitempty"` // needed for a new service only
	Address           *string            `json:"address,omitempty"`
	MaxSessions       *uint32            `json:"max_sessions,omitempty"`
	ProtocolTotal     *uint32            `json:"protocol_total,omitempty"`
	IdleTimeout       *Duration          `json:"idle_timeout,omitempty"`
	InactivityTimeout *Duration          `json:"inactivity_timeout,omitempty"`
	Evict             *string            `json:"evict,omitempty"` // "all" or "fewest"
	// Options are the connector's own settings to set; others stay.
	Options map[string]string `json:"options,omitempty"`
	// Unset names settings to unset, as the command line has them:
	// "address", "max-sessions", "protocol-total", "idle-timeout",
	// "inactivity-timeout", "evict", or the name of an option.
	Unset []string `json:"unset,omitempty"`
}

// Service is a service as it stands. A nil limit or timeout is unset.
type Service struct {
	ID                domain.ServiceID   `json:"id"`
	UUID              uuid.UUID          `json:"uuid"`
	Name              domain.ServiceName `json:"name"`
	Kind              domain.Kind        `json:"kind"`
	Address           string             `json:"address,omitempty"`
	MaxSessions       *uint32            `json:"max_sessions,omitempty"`
	ProtocolTotal     *uint32            `json:"protocol_total,omitempty"` // the override only
	Total             *uint32            `json:"total,omitempty"`          // the total that holds
	IdleTimeout       *Duration          `json:"idle_timeout,omitempty"`
	InactivityTimeout *Duration          `json:"inactivity_timeout,omitempty"`
	Evict             string             `json:"evict"`
	Options           map[string]string  `json:"options,omitempty"`
	// Seats are the seats taken, pending logins included.
	Seats uint32 `json:"seats"`
}

// Account names an account on a service.
type Account struct {
	Service domain.ServiceName `json:"service"`
	Account string             `json:"account"`
}

// Enrolment asks for a one-time enrolment string.
type Enrolment struct {
	Person   string    `json:"person"`
	Accounts []Account `json:"accounts"`
	// ValidFor is how long the string can be redeemed; zero takes the default of
	// 15 minutes.
	ValidFor Duration `json:"valid_for,omitzero"`
	// Address is the host:port under which the device reaches the appliance, for
	// the string; the appliance's own where it is empty.
	Address string `json:"address,omitempty"`
}

// Enrolled is an enrolment string.
type Enrolled struct {
	Offer domain.OfferID `json:"offer"`
	// String is the secret that the person gives to the device, once.
	String string `json:"string"`
	// Address is where the string says that the appliance is.
	Address string    `json:"address"`
	Expires time.Time `json:"expires"`
}

// Device is an enrolled device.
type Device struct {
	ID       domain.DeviceID `json:"id"`
	UUID     uuid.UUID       `json:"uuid"`
	Person   string          `json:"person"`
	PersonID domain.PersonID `json:"person_id"`
	Label    string          `json:"label,omitempty"`
	Enrolled time.Time       `json:"enrolled"`
	Revoked  bool            `json:"revoked"`
	// Accounts are those that the device's person may use now.
	Accounts []Account `json:"accounts,omitempty"`
}

// Erased tells what was deleted of a person.
type Erased struct {
	Person domain.PersonID `json:"person"` // the number by which events go on to refer to nobody known
	// Devices is how many devices were revoked, Records how many records with
	// personal data were deleted.
	Devices int `json:"devices"`
	Records int `json:"records"`
	// Accounts are those of the built-in service that the person was ever permitted.
	// They are not deleted.
	Accounts []string `json:"accounts,omitempty"`
}

// State says how a session is.
type State string

// The states of a session.
const (
	StatePending       State = "pending"         // waits for its upstream connection
	StateCovered       State = "covered"         // live, the device in reach
	StateOutOfCoverage State = "out-of-coverage" // live, the device out of reach
)

// Session is a pending login or a live session with its names joined. A name is
// empty where its side record has been deleted.
type Session struct {
	ID          domain.SessionID   `json:"id"`
	UUID        uuid.UUID          `json:"uuid"`
	Service     domain.ServiceName `json:"service"`
	Account     string             `json:"account,omitempty"`
	Person      string             `json:"person,omitempty"`
	PersonID    domain.PersonID    `json:"person_id"`
	Device      domain.DeviceID    `json:"device"`
	DeviceLabel string             `json:"device_label,omitempty"`
	Address     string             `json:"address,omitempty"` // where the login came from
	State       State              `json:"state"`
	Since       time.Time          `json:"since"` // when the login was requested
	Heard       time.Time          `json:"heard"` // when the device was last heard of
}

// Count is how many seats of a service are taken, by state.
type Count struct {
	Service       domain.ServiceName `json:"service"`
	Pending       uint32             `json:"pending"`
	Covered       uint32             `json:"covered"`
	OutOfCoverage uint32             `json:"out_of_coverage"`
	Seats         uint32             `json:"seats"`           // the sum of them
	Limit         *uint32            `json:"limit,omitempty"` // the maximum or total that holds
}

// AuditFilter says which events to give. A zero field lets everything pass; all
// that are set must hold.
type AuditFilter struct {
	From time.Time `json:"from,omitzero"` // at or after
	To   time.Time `json:"to,omitzero"`   // before
	// Person is the person's name, or the number by which events call the person:
	// whoever was erased has no other.
	Person  string             `json:"person,omitempty"`
	Service domain.ServiceName `json:"service,omitempty"`
	Session domain.SessionID   `json:"session,omitempty"`
	// Types are printed names, such as "login-rejected"; a name that is no
	// event's is refused with a *[domain.SettingError] of the setting "type".
	Types []string `json:"types,omitempty"`
	// Follow goes on with new events as they become durable, until To or the end
	// of ctx. The end of ctx ends a following iteration without an error.
	Follow bool `json:"follow,omitempty"`
}

// AuditRow is one event with the names of what it refers to. What the event does
// not refer to is zero.
type AuditRow struct {
	Position domain.Position    `json:"position"`
	UUID     uuid.UUID          `json:"uuid"` // derived from the position
	Time     time.Time          `json:"time"`
	Type     string             `json:"type"`
	Session  domain.SessionID   `json:"session,omitempty"`
	Service  domain.ServiceName `json:"service,omitempty"`
	Person   string             `json:"person,omitempty"`
	PersonID domain.PersonID    `json:"person_id,omitempty"`
	Account  string             `json:"account,omitempty"`
	Device   domain.DeviceID    `json:"device,omitempty"`
	Label    string             `json:"label,omitempty"` // the device's
	// Fields is the event itself, a JSON object with one member per field.
	Fields json.RawMessage `json:"fields,omitempty"`
}

// Rebuild says which projections to make anew.
type Rebuild struct {
	Names []string `json:"names,omitempty"` // all where empty
	// CheckOnly compares with the live projection and replaces nothing.
	CheckOnly bool `json:"check_only,omitempty"`
}

// RebuildProgress is how far projections have been made anew.
type RebuildProgress struct {
	// Projection is the one that is Done, and before that all that are made in one
	// pass over the log, parted by commas.
	Projection string   `json:"projection"`
	Events     uint64   `json:"events"`  // folded so far
	Total      uint64   `json:"total"`   // in the log
	Elapsed    Duration `json:"elapsed"` // since the pass began
	Done       bool     `json:"done"`
	// Resumed is up to where an interrupted rebuild had made it; zero if this one
	// began at the beginning.
	Resumed uint64 `json:"resumed,omitempty"`
	// Difference names, once Done, the first entry in which the live projection
	// was not what the log says; empty if they agree.
	Difference string `json:"difference,omitempty"`
}

// BackupDone tells what was written.
type BackupDone struct {
	Path  string          `json:"path"`
	Bytes int64           `json:"bytes"`
	Last  domain.Position `json:"last"` // the last event that the backup holds
}

// Status is how an appliance is.
type Status struct {
	Version  string          `json:"version"`
	PID      int             `json:"pid"`
	Started  time.Time       `json:"started"`
	Data     string          `json:"data"`             // the data folder, absolute
	Listen   string          `json:"listen,omitempty"` // where devices connect
	Log      uuid.UUID       `json:"log"`
	Position domain.Position `json:"position"` // of the last event
	Seats    uint32          `json:"seats"`    // over all services
	// Problem says why the appliance is not well; empty if it is.
	Problem string `json:"problem,omitempty"`
}

// Duration is a time.Duration that is text in JSON, such as "5m0s".
type Duration time.Duration

// String gives the duration as [time.Duration.String] does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText gives what String gives.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText takes what [time.ParseDuration] takes.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}
