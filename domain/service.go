package domain

import (
	"maps"
	"time"
)

// ServiceName is the name by which devices and administrators call a service:
// 1 to 64 of the characters a-z, 0-9, '-', '_' and '.', beginning with a letter
// or a digit.
type ServiceName string

// Kind says which protocol a service speaks, such as "xmpp".
type Kind string

// The kinds of service.
const (
	KindLocal     Kind = "local"
	KindXMPP      Kind = "xmpp"
	KindGroupWise Kind = "groupwise"
	KindSametime  Kind = "sametime"
)

// Evict says whom a full house logs out for a newcomer. The numbers are stored.
type Evict uint8

// The ways to make room.
const (
	EvictAll    Evict = 0 // everybody who has been idle for the idle timeout
	EvictFewest Evict = 1 // the longest idle first, and only as many as needed
)

// String gives "all" or "fewest".
func (e Evict) String() string { return nameOf([]string{"all", "fewest"}, int(e), "evict") }

// Settings are what an administrator sets of a service. Unset limits and
// timeouts are just that; zero is refused by [ConfigureService].
type Settings struct {
	Kind Kind
	// Address is the upstream server's host:port; the connector's default
	// where it is empty.
	Address string
	// MaxSessions is the most seats taken at once.
	MaxSessions Optional[uint32]
	// ProtocolTotal overrides the total of sessions that the connector states
	// for its protocol.
	ProtocolTotal Optional[uint32]
	// IdleTimeout is how long a session must have been out of coverage or
	// silent before a full house may log it out for a newcomer.
	IdleTimeout Optional[time.Duration]
	// InactivityTimeout is how long a session may be out of coverage or silent
	// at all.
	InactivityTimeout Optional[time.Duration]
	Evict             Evict
	// Options are the connector's own settings, such as "tls" or "ca-file".
	Options map[string]string
}

// Equal tells whether s and t say the same.
func (s Settings) Equal(t Settings) bool {
	return maps.Equal(s.Options, t.Options) && s.Kind == t.Kind && s.Address == t.Address && s.Evict == t.Evict &&
		s.MaxSessions == t.MaxSessions && s.ProtocolTotal == t.ProtocolTotal &&
		s.IdleTimeout == t.IdleTimeout && s.InactivityTimeout == t.InactivityTimeout
}

// ServiceConfigured tells a service's settings from now on. It begins the
// service where Service is its own position.
type ServiceConfigured struct {
	Service  ServiceID
	Name     ServiceName
	Settings Settings
	// Total is the protocol's total that holds: the override, or what the
	// connector stated when the service was configured.
	Total Optional[uint32]
}

// ServiceRemoved tells that a service is no longer offered. Its accounts go with
// it: a service set under the same name later is another one.
type ServiceRemoved struct{ Service ServiceID }

// ConfigureService sets a service's settings: of the live service with that
// name, or of a new one.
type ConfigureService struct {
	At       time.Time
	Name     ServiceName
	Settings Settings
	// DefaultTotal is the protocol's total as the connector states it.
	DefaultTotal Optional[uint32]
}

// RemoveService removes a service and ends its sessions.
type RemoveService struct {
	At      time.Time
	Service ServiceID
}

// Type gives TypeServiceConfigured.
func (*ServiceConfigured) Type() EventType { return TypeServiceConfigured }

// Type gives TypeServiceRemoved.
func (*ServiceRemoved) Type() EventType { return TypeServiceRemoved }

func (c ConfigureService) decide(l *Ledger, _ time.Time) ([]Event, error) {
	if err := checkService(c.Name, c.Settings); err != nil {
		return nil, err
	}
	e := &ServiceConfigured{
		Service:  ServiceID(l.next(0)),
		Name:     c.Name,
		Settings: c.Settings,
		Total:    c.DefaultTotal,
	}
	e.Settings.Options = maps.Clone(c.Settings.Options)
	if c.Settings.ProtocolTotal.IsSet() {
		e.Total = c.Settings.ProtocolTotal
	}
	if s := l.byName[c.Name]; s != nil {
		if s.settings.Kind != c.Settings.Kind {
			return nil, &SettingError{Setting: "kind", Problem: "cannot change from " + string(s.settings.Kind) + " to " + string(c.Settings.Kind), Next: "remove the service and set it anew"}
		}
		e.Service = s.id
	}
	return []Event{e}, nil
}

func (c RemoveService) decide(l *Ledger, _ time.Time) ([]Event, error) {
	s := l.services[c.Service]
	if s == nil {
		return nil, ErrUnknownService
	}
	ended := l.endWhere(EndServiceRemoved, func(seat *seat) bool { return seat.service == s })
	return append([]Event{&ServiceRemoved{Service: c.Service}}, ended...), nil
}

func (c ConfigureService) when() time.Time { return c.At }
func (c RemoveService) when() time.Time    { return c.At }

func (e *ServiceConfigured) apply(l *Ledger, p Position, _ time.Time) {
	s := l.services[e.Service]
	switch {
	case s != nil:
		l.dropName(s)
	case e.Service == ServiceID(p):
		s = &service{id: e.Service}
		l.services[e.Service] = s
	default:
		return
	}
	s.name, s.settings, s.total = e.Name, e.Settings, e.Total
	s.settings.Options = maps.Clone(e.Settings.Options)
	l.byName[e.Name] = s
}

func (e *ServiceRemoved) apply(l *Ledger, _ Position, _ time.Time) {
	s := l.services[e.Service]
	if s == nil {
		return
	}
	delete(l.services, s.id)
	l.dropName(s)
	maps.DeleteFunc(l.accounts, func(_ AccountID, a Account) bool { return a.Service == s.id })
}

// dropName takes a service's name away, unless another one has it by now.
func (l *Ledger) dropName(s *service) {
	if l.byName[s.name] == s {
		delete(l.byName, s.name)
	}
}
