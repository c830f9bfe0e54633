package main

import (
	"context"
	"time"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/projections/configuration"
)

// defaultValidFor is how long an enrolment string can be redeemed.
const defaultValidFor = 15 * time.Minute

// EnrolDevice implements [control.Operator].
func (a *appliance) EnrolDevice(ctx context.Context, e control.Enrolment) (control.Enrolled, error) {
	if a.broker == nil {
		return control.Enrolled{}, errReadOnly
	}
	if e.Address == "" {
		e.Address = a.address
	}
	if e.ValidFor == 0 {
		e.ValidFor = control.Duration(defaultValidFor)
	}
	// The address is checked before anything is recorded.
	enrolment := device.Enrolment{ServerKey: a.key.Public(), Address: e.Address, Secret: []byte{0}}
	if _, err := enrolment.Reveal(); err != nil {
		return control.Enrolled{}, &domain.SettingError{Setting: "address", Problem: err.Error(), Next: "give the HOST:PORT under which devices reach the appliance"}
	}
	offered, err := a.broker.OfferEnrolment(ctx, broker.Offer{Person: e.Person, Accounts: accountRefs(e.Accounts), ValidFor: time.Duration(e.ValidFor)})
	if err != nil {
		return control.Enrolled{}, err
	}
	enrolment.Secret = offered.Secret
	text, err := enrolment.Reveal()
	return control.Enrolled{Offer: offered.ID, String: text, Address: e.Address, Expires: offered.Expires}, err
}

func accountRefs(accounts []control.Account) []broker.AccountRef {
	refs := make([]broker.AccountRef, len(accounts))
	for i, a := range accounts {
		refs[i] = broker.AccountRef(a)
	}
	return refs
}

// RevokeDevice implements [control.Operator].
func (a *appliance) RevokeDevice(ctx context.Context, id domain.DeviceID) error {
	if a.broker == nil {
		return errReadOnly
	}
	return a.broker.RevokeDevice(ctx, id)
}

// BarPerson implements [control.Operator].
func (a *appliance) BarPerson(ctx context.Context, person string) error {
	if a.broker == nil {
		return errReadOnly
	}
	return a.broker.BarPerson(ctx, person)
}

// Devices implements [control.Operator].
func (a *appliance) Devices(ctx context.Context) ([]control.Device, error) {
	accounts, err := a.accountsByPerson(ctx)
	if err != nil {
		return nil, err
	}
	enrolled, err := configuration.In(a.views).Devices()
	if err != nil {
		return nil, err
	}
	devices := make([]control.Device, len(enrolled))
	for i, d := range enrolled {
		person, err := a.side(ctx, domain.Position(d.Person), domain.SidePersonName)
		if err != nil {
			return nil, err
		}
		label, err := a.side(ctx, domain.Position(d.ID), domain.SideDeviceLabel)
		if err != nil {
			return nil, err
		}
		devices[i] = control.Device{
			ID: d.ID, UUID: a.uuid(domain.Position(d.ID)), Person: person, PersonID: d.Person, Label: label,
			Enrolled: d.Enrolled, Revoked: d.Revoked, Accounts: accounts[d.Person],
		}
	}
	return devices, nil
}

func (a *appliance) accountsByPerson(ctx context.Context) (map[domain.PersonID][]control.Account, error) {
	services, err := a.serviceNames(ctx)
	if err != nil {
		return nil, err
	}
	permitted, err := configuration.In(a.views).Accounts()
	if err != nil {
		return nil, err
	}
	accounts := make(map[domain.PersonID][]control.Account)
	for _, p := range permitted {
		name, err := a.side(ctx, domain.Position(p.ID), domain.SideAccountName)
		if err != nil {
			return nil, err
		}
		accounts[p.Person] = append(accounts[p.Person], control.Account{Service: services[p.Service], Account: name})
	}
	return accounts, nil
}
