package configuration

import (
	"maps"
	"time"

	"rollcall/domain"
)

// service is a service as it is stored. Durations are milliseconds; what is
// unset is left out.
type service struct {
	Name     domain.ServiceName `json:"name"`
	Settings settings           `json:"settings"`
	Total    *uint32            `json:"total,omitempty"`
}

type settings struct {
	Kind          domain.Kind       `json:"kind"`
	Address       string            `json:"address,omitempty"`
	MaxSessions   *uint32           `json:"max_sessions,omitempty"`
	ProtocolTotal *uint32           `json:"protocol_total,omitempty"`
	Idle          *int64            `json:"idle_timeout_ms,omitempty"`
	Inactivity    *int64            `json:"inactivity_timeout_ms,omitempty"`
	Evict         domain.Evict      `json:"evict,omitempty"`
	Options       map[string]string `json:"options,omitempty"`
}

func storedService(e *domain.ServiceConfigured) service {
	s := e.Settings
	return service{
		Name:  e.Name,
		Total: pointer(e.Total),
		Settings: settings{
			Kind: s.Kind, Address: s.Address, Evict: s.Evict, Options: maps.Clone(s.Options),
			MaxSessions: pointer(s.MaxSessions), ProtocolTotal: pointer(s.ProtocolTotal),
			Idle: millis(s.IdleTimeout), Inactivity: millis(s.InactivityTimeout),
		},
	}
}

func (s *service) view(id domain.ServiceID) Service {
	t := s.Settings
	return Service{
		ID: id, Name: s.Name, Total: optional(s.Total),
		Settings: domain.Settings{
			Kind: t.Kind, Address: t.Address, Evict: t.Evict, Options: t.Options,
			MaxSessions: optional(t.MaxSessions), ProtocolTotal: optional(t.ProtocolTotal),
			IdleTimeout: duration(t.Idle), InactivityTimeout: duration(t.Inactivity),
		},
	}
}

func pointer[T comparable](o domain.Optional[T]) *T {
	if v, set := o.Get(); set {
		return &v
	}
	return nil
}

func optional[T comparable](p *T) domain.Optional[T] {
	if p == nil {
		return domain.Optional[T]{}
	}
	return domain.Some(*p)
}

func millis(o domain.Optional[time.Duration]) *int64 {
	d, set := o.Get()
	if !set {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}

func duration(ms *int64) domain.Optional[time.Duration] {
	if ms == nil {
		return domain.Optional[time.Duration]{}
	}
	return domain.Some(time.Duration(*ms) * time.Millisecond)
}
