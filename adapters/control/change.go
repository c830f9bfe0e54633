package control

import (
	"fmt"
	"maps"
	"time"

	"rollcall/domain"
)

// Apply gives s, the settings of the service as it stands or the zero value for
// a new one, with the change made. What the change names wrongly is a
// *[domain.SettingError]; whether the values can be is for the domain and the
// connector to say.
func (c ServiceChange) Apply(s domain.Settings) (domain.Settings, error) {
	s.Options = maps.Clone(s.Options)
	if err := c.unset(&s); err != nil {
		return domain.Settings{}, err
	}
	set(&s.Kind, c.Kind)
	set(&s.Address, c.Address)
	setOptional(&s.MaxSessions, c.MaxSessions)
	setOptional(&s.ProtocolTotal, c.ProtocolTotal)
	setOptional(&s.IdleTimeout, (*time.Duration)(c.IdleTimeout))
	setOptional(&s.InactivityTimeout, (*time.Duration)(c.InactivityTimeout))
	if err := c.setEvict(&s); err != nil {
		return domain.Settings{}, err
	}
	if s.Options == nil && len(c.Options) > 0 {
		s.Options = make(map[string]string, len(c.Options))
	}
	maps.Copy(s.Options, c.Options)
	return s, nil
}

// unsetters unset one setting each, by its name on the command line.
var unsetters = map[string]func(*domain.Settings){
	"address":            func(s *domain.Settings) { s.Address = "" },
	"max-sessions":       func(s *domain.Settings) { s.MaxSessions = domain.Optional[uint32]{} },
	"protocol-total":     func(s *domain.Settings) { s.ProtocolTotal = domain.Optional[uint32]{} },
	"idle-timeout":       func(s *domain.Settings) { s.IdleTimeout = domain.Optional[time.Duration]{} },
	"inactivity-timeout": func(s *domain.Settings) { s.InactivityTimeout = domain.Optional[time.Duration]{} },
	"evict":              func(s *domain.Settings) { s.Evict = domain.EvictAll },
}

func (c ServiceChange) unset(s *domain.Settings) error {
	for _, name := range c.Unset {
		if unset, known := unsetters[name]; known {
			unset(s)
			continue
		}
		if _, there := s.Options[name]; !there {
			return &domain.SettingError{Setting: name, Problem: "there is no such setting to unset", Next: "see service list for what is set"}
		}
		delete(s.Options, name)
	}
	return nil
}

func (c ServiceChange) setEvict(s *domain.Settings) error {
	if c.Evict == nil {
		return nil
	}
	for _, e := range []domain.Evict{domain.EvictAll, domain.EvictFewest} {
		if e.String() == *c.Evict {
			s.Evict = e
			return nil
		}
	}
	return &domain.SettingError{Setting: "evict", Problem: fmt.Sprintf("%.80q is no way to make room", *c.Evict), Next: "give all or fewest"}
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

func setOptional[T comparable](to *domain.Optional[T], v *T) {
	if v != nil {
		*to = domain.Some(*v)
	}
}

// ServiceOf gives a service of the log with that id as an operator sees it.
func ServiceOf(log domain.LogID, s domain.Service) Service {
	return Service{
		ID:                s.ID,
		UUID:              log.UUID(domain.Position(s.ID)),
		Name:              s.Name,
		Kind:              s.Settings.Kind,
		Address:           s.Settings.Address,
		MaxSessions:       pointer(s.Settings.MaxSessions),
		ProtocolTotal:     pointer(s.Settings.ProtocolTotal),
		Total:             pointer(s.Total),
		IdleTimeout:       (*Duration)(pointer(s.Settings.IdleTimeout)),
		InactivityTimeout: (*Duration)(pointer(s.Settings.InactivityTimeout)),
		Evict:             s.Settings.Evict.String(),
		Options:           maps.Clone(s.Settings.Options),
		Seats:             s.Seats,
	}
}

// pointer gives a pointer to the value; nil where there is none.
func pointer[T comparable](o domain.Optional[T]) *T {
	if v, ok := o.Get(); ok {
		return &v
	}
	return nil
}
