package main

import (
	"context"
	"fmt"
	"slices"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// ErasePerson implements [control.Operator].
func (a *appliance) ErasePerson(ctx context.Context, person string) (control.Erased, error) {
	if a.broker == nil {
		return control.Erased{}, errReadOnly
	}
	accounts, err := a.builtInAccounts(ctx, person)
	if err != nil {
		return control.Erased{}, fmt.Errorf("look for the person's accounts: %w", err)
	}
	done, err := a.broker.ErasePerson(ctx, person)
	return control.Erased{Person: done.Person, Devices: done.Devices, Records: done.Sides, Accounts: accounts}, err
}

// builtInAccounts gives the accounts of the built-in service that a person was ever
// permitted, while the log still has their names.
func (a *appliance) builtInAccounts(ctx context.Context, person string) ([]string, error) {
	services, err := a.Services(ctx)
	if err != nil {
		return nil, err
	}
	var accounts []string
	permitted := control.AuditFilter{Person: person, Types: []string{domain.TypePersonPermitted.String()}}
	for row, err := range a.Audit(ctx, permitted) {
		if err != nil {
			return nil, err
		}
		local := slices.ContainsFunc(services, func(s control.Service) bool {
			return s.Name == row.Service && s.Kind == domain.KindLocal
		})
		if local && row.Person == person && row.Account != "" && !slices.Contains(accounts, row.Account) {
			accounts = append(accounts, row.Account)
		}
	}
	return accounts, nil
}
