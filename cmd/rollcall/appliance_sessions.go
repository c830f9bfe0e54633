package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"rollcall/adapters/control"
	"rollcall/domain"
	"rollcall/projections/sessions"
)

// Sessions implements [control.Operator].
func (a *appliance) Sessions(ctx context.Context) ([]control.Session, error) {
	if err := a.caughtUp(ctx); err != nil {
		return nil, err
	}
	list, _, err := sessions.In(a.views).List()
	if err != nil {
		return nil, err
	}
	joined, err := a.joined(ctx, list)
	if err != nil || a.broker == nil {
		return joined, err
	}
	return joined, a.heard(ctx, joined)
}

// heard puts in when each device was last heard of: that is in the broker's
// memory, where the log has only what came of it.
func (a *appliance) heard(ctx context.Context, list []control.Session) error {
	seats, err := a.broker.Seats(ctx)
	if err != nil {
		return err
	}
	byID := make(map[domain.SessionID]time.Time, len(seats))
	for _, s := range seats {
		byID[s.Session] = s.Heard
	}
	for i, s := range list {
		if at, live := byID[s.ID]; live {
			list[i].Heard = at
		}
	}
	return nil
}

// SessionsAt implements [control.Operator].
func (a *appliance) SessionsAt(ctx context.Context, at time.Time) ([]control.Session, error) {
	list, _, err := sessions.At(ctx, a.log, at)
	if err != nil {
		return nil, err
	}
	return a.joined(ctx, list)
}

func (a *appliance) joined(ctx context.Context, list []sessions.Session) ([]control.Session, error) {
	services, err := a.serviceNames(ctx)
	if err != nil {
		return nil, err
	}
	joined := make([]control.Session, len(list))
	for i, s := range list {
		joined[i] = control.Session{
			ID: s.ID, UUID: a.uuid(domain.Position(s.ID)), Service: services[s.Service], PersonID: s.Person, Device: s.Device,
			State: control.State(s.State.String()), Since: s.Since, Heard: s.CoverageSince,
		}
		if err := a.joinNames(ctx, &joined[i], s); err != nil {
			return nil, err
		}
	}
	return joined, nil
}

func (a *appliance) joinNames(ctx context.Context, to *control.Session, s sessions.Session) (err error) {
	for _, n := range []struct {
		to   *string
		at   domain.Position
		kind domain.SideKind
	}{
		{&to.Account, domain.Position(s.Account), domain.SideAccountName},
		{&to.Person, domain.Position(s.Person), domain.SidePersonName},
		{&to.DeviceLabel, domain.Position(s.Device), domain.SideDeviceLabel},
		{&to.Address, domain.Position(s.ID), domain.SideAddress},
	} {
		if *n.to, err = a.side(ctx, n.at, n.kind); err != nil {
			return err
		}
	}
	return nil
}

// EndSession implements [control.Operator].
func (a *appliance) EndSession(ctx context.Context, id domain.SessionID) error {
	if a.broker == nil {
		return errReadOnly
	}
	return a.broker.EndSession(ctx, id)
}

// Count implements [control.Operator].
func (a *appliance) Count(ctx context.Context) ([]control.Count, error) {
	services, err := a.Services(ctx)
	if err != nil {
		return nil, err
	}
	seats, _, err := sessions.In(a.views).Counts()
	if err != nil {
		return nil, err
	}
	counts := make([]control.Count, len(services))
	for i, s := range services {
		n := seats[s.ID]
		counts[i] = control.Count{
			Service: s.Name, Pending: uint32(n.Pending), Covered: uint32(n.Covered), OutOfCoverage: uint32(n.OutOfCoverage),
			Seats: uint32(n.Seats()), Limit: limitOf(s),
		}
	}
	slices.SortFunc(counts, func(x, y control.Count) int { return cmp.Compare(x.Service, y.Service) })
	return counts, nil
}

// limitOf gives the limit that holds: the maximum, unless it is unset or lies
// above the protocol's total.
func limitOf(s control.Service) *uint32 {
	if s.MaxSessions == nil || s.Total != nil && *s.Total < *s.MaxSessions {
		return s.Total
	}
	return s.MaxSessions
}
