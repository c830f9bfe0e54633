package configuration

import (
	"time"

	"rollcall/domain"
	"rollcall/projections"
)

// Service is a configured service.
type Service struct {
	ID       domain.ServiceID
	Name     domain.ServiceName
	Settings domain.Settings
	// Total is the protocol's total of sessions that holds; unset if there is
	// none.
	Total domain.Optional[uint32]
}

// Account is one account that a person may use on a service.
type Account struct {
	ID      domain.AccountID
	Person  domain.PersonID
	Service domain.ServiceID
}

// Device is an enrolled device.
type Device struct {
	ID       domain.DeviceID
	Person   domain.PersonID
	Enrolled time.Time
	Revoked  bool
}

// Offer is an enrolment offer that nobody has used yet.
type Offer struct {
	ID      domain.OfferID
	Person  domain.PersonID
	Expires time.Time
}

// View answers from the stored view. It is safe for concurrent use. Every list is
// by ascending id.
type View struct{ source projections.Source }

// In gives the view in a source.
func In(source projections.Source) View { return View{source} }

// Services gives the configured services.
func (v View) Services() ([]Service, error) {
	return list(v, serviceKind, func(id domain.ServiceID, s *service) Service { return s.view(id) })
}

// Accounts gives the accounts that people may use.
func (v View) Accounts() ([]Account, error) {
	return list(v, accountKind, func(id domain.AccountID, a *account) Account {
		return Account{id, a.Person, a.Service}
	})
}

// Devices gives the enrolled devices, revoked ones included.
func (v View) Devices() ([]Device, error) {
	return list(v, deviceKind, func(id domain.DeviceID, d *device) Device {
		return Device{id, d.Person, d.Enrolled, d.Revoked}
	})
}

// Offers gives the enrolment offers that are open at the time at.
func (v View) Offers(at time.Time) ([]Offer, error) {
	offers, err := list(v, offerKind, func(id domain.OfferID, o *offer) Offer {
		return Offer{id, o.Person, o.Expires}
	})
	open := offers[:0]
	for _, o := range offers {
		if at.Before(o.Expires) {
			open = append(open, o)
		}
	}
	return open, err
}

// list gives the rows of a kind in the form for people outside.
func list[K ~uint64, R, V any](v View, kind string, show func(K, *R) V) (list []V, err error) {
	err = v.source.View(Name, func(s projections.Snapshot) error {
		for id, row := range projections.Rows[K, R](s.Rows, kind) {
			if row.Err != nil {
				return row.Err
			}
			list = append(list, show(id, &row.Row))
		}
		return nil
	})
	return list, err
}
