package configuration

import (
	"time"

	"rollcall/domain"
	"rollcall/projections"
)

// Name is the projection's name.
const Name = "configuration"

const (
	serviceKind = "service"
	accountKind = "account"
	deviceKind  = "device"
	offerKind   = "offer"
)

// Projection makes the view.
func Projection() projections.Projection {
	return projections.Projection{Name: Name, Version: 1, New: func() projections.Fold { return newFold() }}
}

type account struct {
	Person  domain.PersonID  `json:"person"`
	Service domain.ServiceID `json:"service"`
}

type device struct {
	Person   domain.PersonID `json:"person"`
	Enrolled time.Time       `json:"enrolled"`
	Revoked  bool            `json:"revoked,omitempty"`
}

type offer struct {
	Person  domain.PersonID `json:"person"`
	Expires time.Time       `json:"expires"`
}

type fold struct {
	projections.Parts
	services *projections.Table[domain.ServiceID, service]
	accounts *projections.Table[domain.AccountID, account]
	devices  *projections.Table[domain.DeviceID, device]
	offers   *projections.Table[domain.OfferID, offer]
}

func newFold() *fold {
	f := &fold{
		services: projections.NewTable[domain.ServiceID, service](serviceKind),
		accounts: projections.NewTable[domain.AccountID, account](accountKind),
		devices:  projections.NewTable[domain.DeviceID, device](deviceKind),
		offers:   projections.NewTable[domain.OfferID, offer](offerKind),
	}
	f.Parts = projections.Parts{f.services, f.accounts, f.devices, f.offers}
	return f
}

func (f *fold) Apply(r domain.Record) error {
	switch e := r.Event.(type) {
	case *domain.ServiceConfigured:
		*f.services.Add(e.Service) = storedService(e)
	case *domain.ServiceRemoved:
		f.services.Delete(e.Service)
		f.dropAccounts(func(a *account) bool { return a.Service == e.Service })
	case *domain.PersonPermitted:
		*f.accounts.Add(domain.AccountID(r.Position)) = account{e.Person, e.Service}
	case *domain.PersonBarred:
		f.bar(e)
	case *domain.EnrolmentOffered:
		f.offer(e, r)
	case *domain.DeviceEnrolled:
		f.offers.Delete(e.Offer)
		*f.devices.Add(domain.DeviceID(r.Position)) = device{Person: e.Person, Enrolled: r.Time}
	case *domain.DeviceRevoked:
		if d := f.devices.Change(e.Device); d != nil {
			d.Revoked = true
		}
	case *domain.BrokerStarted, *domain.BrokerStopped,
		*domain.LoginRequested, *domain.LoginAdmitted, *domain.LoginAccepted, *domain.LoginRejected,
		*domain.CoverageLost, *domain.CoverageRegained, *domain.SessionResumed,
		*domain.SessionIdledOut, *domain.SessionEnded:
	default:
		if !projections.IsNewerSessionEvent(r) {
			return projections.UnknownEvent(r)
		}
	}
	return nil
}

func (f *fold) bar(e *domain.PersonBarred) {
	if e.Account != 0 {
		f.accounts.Delete(e.Account)
		return
	}
	f.dropAccounts(func(a *account) bool { return a.Person == e.Person })
}

func (f *fold) dropAccounts(where func(*account) bool) {
	for id, a := range f.accounts.All() {
		if where(a) {
			f.accounts.Delete(id)
		}
	}
}

// offer adds an offer, and drops those that have expired: nobody else would.
func (f *fold) offer(e *domain.EnrolmentOffered, r domain.Record) {
	for id, o := range f.offers.All() {
		if !r.Time.Before(o.Expires) {
			f.offers.Delete(id)
		}
	}
	*f.offers.Add(domain.OfferID(r.Position)) = offer{e.Person, r.Time.Add(e.ValidFor)}
}
