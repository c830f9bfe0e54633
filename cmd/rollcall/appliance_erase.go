package main

import (
	"context"

	"rollcall/adapters/control"
)

// ErasePerson implements [control.Operator].
func (a *appliance) ErasePerson(ctx context.Context, person string) (control.Erased, error) {
	if a.broker == nil {
		return control.Erased{}, errReadOnly
	}
	done, err := a.broker.ErasePerson(ctx, person)
	return control.Erased{Person: done.Person, Devices: done.Devices, Records: done.Sides}, err
}
