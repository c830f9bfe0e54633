package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall/adapters/control"
	"rollcall/domain"
	"rollcall/projections/configuration"
	"rollcall/projections/sessions"
)

// SetService implements [control.Operator].
func (a *appliance) SetService(ctx context.Context, c control.ServiceChange) (control.Service, error) {
	if a.broker == nil {
		return control.Service{}, errReadOnly
	}
	before, err := a.broker.Service(ctx, c.Name)
	if err != nil && !errors.Is(err, domain.ErrUnknownService) {
		return control.Service{}, err
	}
	settings, err := c.Apply(before.Settings)
	if err != nil {
		return control.Service{}, err
	}
	if settings.Kind == "" {
		return control.Service{}, &domain.SettingError{Setting: "kind", Problem: "missing for a new service", Next: "give " + anyOf(kinds())}
	}
	if !slices.Contains(kinds(), string(settings.Kind)) {
		return control.Service{}, &domain.SettingError{Setting: "kind", Problem: fmt.Sprintf("%.80q is no kind of service", string(settings.Kind)), Next: "give " + anyOf(kinds())}
	}
	if _, err := a.broker.ConfigureService(ctx, c.Name, settings); err != nil {
		return control.Service{}, err
	}
	after, err := a.broker.Service(ctx, c.Name)
	return control.ServiceOf(a.log.ID(), after), err
}

// RemoveService implements [control.Operator].
func (a *appliance) RemoveService(ctx context.Context, name domain.ServiceName) error {
	if a.broker == nil {
		return errReadOnly
	}
	return a.broker.RemoveService(ctx, name)
}

// Services implements [control.Operator].
func (a *appliance) Services(ctx context.Context) ([]control.Service, error) {
	if err := a.caughtUp(ctx); err != nil {
		return nil, err
	}
	configured, err := configuration.In(a.views).Services()
	if err != nil {
		return nil, err
	}
	seats, _, err := sessions.In(a.views).Counts()
	if err != nil {
		return nil, err
	}
	services := make([]control.Service, len(configured))
	for i, s := range configured {
		taken := seats[s.ID]
		services[i] = control.ServiceOf(a.log.ID(), domain.Service{
			ID: s.ID, Name: s.Name, Settings: s.Settings, Total: s.Total, Seats: uint32(taken.Seats()),
		})
	}
	slices.SortFunc(services, func(x, y control.Service) int { return cmp.Compare(x.Name, y.Name) })
	return services, nil
}

// serviceNames gives the name of every service that is configured.
func (a *appliance) serviceNames(ctx context.Context) (map[domain.ServiceID]domain.ServiceName, error) {
	if err := a.caughtUp(ctx); err != nil {
		return nil, err
	}
	configured, err := configuration.In(a.views).Services()
	names := make(map[domain.ServiceID]domain.ServiceName, len(configured))
	for _, s := range configured {
		names[s.ID] = s.Name
	}
	return names, err
}
