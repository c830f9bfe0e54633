package domain

import "time"

// EnrolmentOffered tells that a one-time enrolment string was made for a person.
// Its position is the [OfferID]; a digest of the secret is a side record under
// it. It begins the person where Person is its own position.
type EnrolmentOffered struct {
	Person   PersonID
	ValidFor time.Duration
}

// DeviceEnrolled tells that a device redeemed an offer and is known by its key
// from now on. Its position is the [DeviceID]; key and label are side records
// under it.
type DeviceEnrolled struct {
	Person PersonID
	Offer  OfferID
}

// DeviceRevoked tells that a device's key is no longer taken.
type DeviceRevoked struct{ Device DeviceID }

// OfferEnrolment makes an offer for a person, a new one where Person is zero,
// and permits the person one more account on each of the services in Permit.
type OfferEnrolment struct {
	At       time.Time
	Person   PersonID
	Permit   []ServiceID
	ValidFor time.Duration
}

// EnrolDevice redeems an offer.
type EnrolDevice struct {
	At    time.Time
	Offer OfferID
}

// RevokeDevice takes a device's key away and ends its sessions.
type RevokeDevice struct {
	At     time.Time
	Device DeviceID
}

// Type gives TypeEnrolmentOffered.
func (*EnrolmentOffered) Type() EventType { return TypeEnrolmentOffered }

// Type gives TypeDeviceEnrolled.
func (*DeviceEnrolled) Type() EventType { return TypeDeviceEnrolled }

// Type gives TypeDeviceRevoked.
func (*DeviceRevoked) Type() EventType { return TypeDeviceRevoked }

func (c OfferEnrolment) decide(l *Ledger, _ time.Time) ([]Event, error) {
	person, err := l.personOrNew(c.Person, 0)
	if err != nil {
		return nil, err
	}
	if c.ValidFor < time.Millisecond {
		return nil, ErrOfferTime
	}
	var events []Event
	for _, s := range c.Permit {
		if l.services[s] == nil {
			return nil, ErrUnknownService
		}
		events = append(events, &PersonPermitted{Person: person, Service: s})
	}
	return append(events, &EnrolmentOffered{Person: person, ValidFor: c.ValidFor.Truncate(time.Millisecond)}), nil
}

func (c EnrolDevice) decide(l *Ledger, at time.Time) ([]Event, error) {
	o, ok := l.offers[c.Offer]
	switch {
	case !ok:
		return nil, ErrUnknownOffer
	case o.spent:
		return nil, ErrOfferSpent
	case at.UnixMilli() >= o.expires:
		return nil, ErrOfferExpired
	}
	return []Event{&DeviceEnrolled{Person: o.person, Offer: c.Offer}}, nil
}

func (c RevokeDevice) decide(l *Ledger, _ time.Time) ([]Event, error) {
	d := l.devices[c.Device]
	if d == nil {
		return nil, ErrUnknownDevice
	}
	if d.revoked {
		return nil, ErrDeviceRevoked
	}
	ended := l.endWhere(EndDeviceRevoked, func(s *seat) bool { return s.device == d })
	return append([]Event{&DeviceRevoked{Device: c.Device}}, ended...), nil
}

func (c OfferEnrolment) when() time.Time { return c.At }
func (c EnrolDevice) when() time.Time    { return c.At }
func (c RevokeDevice) when() time.Time   { return c.At }

func (e *EnrolmentOffered) apply(l *Ledger, p Position, at time.Time) {
	if l.begin(e.Person, p) {
		l.offers[OfferID(p)] = offer{person: e.Person, expires: at.Add(e.ValidFor).UnixMilli()}
	}
}

func (e *DeviceEnrolled) apply(l *Ledger, p Position, _ time.Time) {
	o, ok := l.offers[e.Offer]
	if !ok || o.person != e.Person {
		return
	}
	o.spent = true
	l.offers[e.Offer] = o
	l.devices[DeviceID(p)] = &device{id: DeviceID(p), person: e.Person}
}

func (e *DeviceRevoked) apply(l *Ledger, _ Position, _ time.Time) {
	if d := l.devices[e.Device]; d != nil {
		d.revoked = true
	}
}
