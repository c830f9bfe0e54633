package main

import (
	"context"
	"fmt"
	"slices"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// warnOfStrangers tells of accounts of the built-in service that are not there: the
// person could not log in with one yet. It may be made afterwards.
func (a *app) warnOfStrangers(ctx context.Context, op control.Operator, named []control.Account) error {
	services, err := op.Services(ctx)
	if err != nil {
		return err
	}
	builtIn := make(map[domain.ServiceName]bool)
	for _, s := range services {
		builtIn[s.Name] = s.Kind == domain.KindLocal
	}
	named = slices.DeleteFunc(slices.Clone(named), func(n control.Account) bool { return !builtIn[n.Service] })
	if len(named) == 0 {
		return nil
	}
	there, err := a.accountNames()
	for _, n := range named {
		if err == nil && !there[n.Account] {
			fmt.Fprintf(a.errOut, "rollcall: there is no account %s on %s yet; make it with 'rollcall user add %[1]s'\n", printable(n.Account), n.Service)
		}
	}
	return err
}

// accountNames gives the accounts of the built-in service.
func (a *app) accountNames() (map[string]bool, error) {
	store, err := a.accounts()
	if err != nil {
		return nil, err
	}
	stored, err := store.List()
	names := make(map[string]bool, len(stored))
	for _, account := range stored {
		names[account.Name] = true
	}
	return names, err
}
