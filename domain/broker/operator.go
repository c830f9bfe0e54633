package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/domain"
)

// offerSecretSize is the length of an enrolment's one-time secret in bytes.
const offerSecretSize = 16

// Offer is what an operator asks for when a device shall be enrolled.
type Offer struct {
	// Person is whose device it will be. An unknown name begins a person.
	Person string
	// Accounts are permitted to the person, as far as they are not already.
	Accounts []AccountRef
	ValidFor time.Duration
}

// Offered is an enrolment offer. Secret goes to the device and is kept nowhere.
type Offered struct {
	ID      domain.OfferID
	Secret  []byte
	Expires time.Time
}

// Service gives a configured service.
func (b *Broker) Service(ctx context.Context, name domain.ServiceName) (service domain.Service, err error) {
	var unknown error
	err = b.seq.look(ctx, func(t *turn) { service, unknown = t.service(name) })
	return service, errors.Join(err, unknown)
}

// ConfigureService sets all settings of a service: of the one with that name, or
// of a new one. Where they are what they were nothing is recorded.
func (b *Broker) ConfigureService(ctx context.Context, name domain.ServiceName, s domain.Settings) (id domain.ServiceID, err error) {
	connector := b.connectors[s.Kind]
	if connector == nil {
		return 0, &domain.SettingError{Setting: "kind", Problem: fmt.Sprintf("%.80q is not a kind of service this server speaks", string(s.Kind)), Next: "give one of those that the help lists"}
	}
	if err := connector.Check(s); err != nil {
		return 0, err
	}
	total := connector.Total()
	err = b.seq.begin(ctx, func(t *turn) error {
		known, err := t.service(name)
		if err == nil && known.Settings.Equal(s) && (s.ProtocolTotal.IsSet() || known.Total == total) {
			id = known.ID
			return nil
		}
		records, err := t.decide(domain.ConfigureService{At: t.now, Name: name, Settings: s, DefaultTotal: total})
		if err != nil {
			return err
		}
		id = records[0].Event.(*domain.ServiceConfigured).Service
		return nil
	})
	return id, err
}

// RemoveService removes a service and ends its sessions.
func (b *Broker) RemoveService(ctx context.Context, name domain.ServiceName) error {
	return b.seq.finish(ctx, func(t *turn) error {
		service, err := t.service(name)
		if err != nil {
			return err
		}
		_, err = t.decide(domain.RemoveService{At: t.now, Service: service.ID})
		return err
	})
}

// PermitPerson permits a person one account; an unknown name begins a person. A
// permission that exists is given back as it is.
func (b *Broker) PermitPerson(ctx context.Context, person string, a AccountRef) (id domain.AccountID, err error) {
	if err := errors.Join(checkText("person", person), checkText("account", a.Account)); err != nil {
		return 0, err
	}
	err = b.seq.begin(ctx, func(t *turn) error {
		service, err := t.service(a.Service)
		if err != nil {
			return err
		}
		known := t.directory().person(person)
		if id = t.directory().account(known, service.ID, a.Account); id != 0 {
			return nil
		}
		records, err := t.decide(domain.PermitPerson{At: t.now, Person: known, Service: service.ID})
		if err != nil {
			return err
		}
		t.namePerson(known, domain.PersonID(records[0].Position), person)
		t.nameAccount(records[0].Position, a.Account)
		id = domain.AccountID(records[0].Position)
		return nil
	})
	return id, err
}

// BarPerson takes all accounts from a person and ends the sessions that use them.
func (b *Broker) BarPerson(ctx context.Context, person string) error {
	return b.seq.finish(ctx, func(t *turn) error {
		_, err := t.decide(domain.BarPerson{At: t.now, Person: t.directory().person(person)})
		return err
	})
}

// OfferEnrolment permits the accounts and makes a one-time offer.
func (b *Broker) OfferEnrolment(ctx context.Context, o Offer) (offered Offered, err error) {
	if err := checkText("person", o.Person); err != nil {
		return offered, err
	}
	secret := make([]byte, offerSecretSize)
	rand.Read(secret) // never fails, see crypto/rand
	err = b.seq.begin(ctx, func(t *turn) error {
		known := t.directory().person(o.Person)
		services, names, err := t.missing(known, o.Accounts)
		if err != nil {
			return err
		}
		records, err := t.decide(domain.OfferEnrolment{At: t.now, Person: known, Permit: services, ValidFor: o.ValidFor})
		if err != nil {
			return err
		}
		t.namePerson(known, domain.PersonID(records[0].Position), o.Person)
		for i, name := range names {
			t.nameAccount(records[i].Position, name)
		}
		offer := records[len(records)-1]
		digest := sha256.Sum256(secret)
		t.remember(offer.Position, domain.SideOfferSecret, digest[:])
		offered = Offered{ID: domain.OfferID(offer.Position), Secret: secret, Expires: offer.Time.Add(o.ValidFor)}
		return nil
	})
	return offered, err
}

// missing gives which of the accounts the person may not use yet.
func (t *turn) missing(person domain.PersonID, accounts []AccountRef) (services []domain.ServiceID, names []string, err error) {
	for i, a := range accounts {
		if slices.Contains(accounts[:i], a) {
			continue
		}
		if err := checkText("account", a.Account); err != nil {
			return nil, nil, err
		}
		service, err := t.service(a.Service)
		if err != nil {
			return nil, nil, err
		}
		if person == 0 || t.directory().account(person, service.ID, a.Account) == 0 {
			services, names = append(services, service.ID), append(names, a.Account)
		}
	}
	return services, names, nil
}

// Enrol redeems an enrolment string, see [Devices].
func (b *Broker) Enrol(ctx context.Context, e Enrolment) (id domain.DeviceID, err error) {
	if !b.isOpen() {
		return 0, ErrStopped
	}
	if len(e.Key) != keySize {
		return 0, fmt.Errorf("%w: it has %d bytes, not %d", ErrUnknownKey, len(e.Key), keySize)
	}
	err = b.seq.begin(ctx, func(t *turn) error {
		offer := t.directory().offer(e.Secret)
		if offer == 0 {
			return ErrUnknownSecret
		}
		records, err := t.decide(domain.EnrolDevice{At: t.now, Offer: offer})
		if err != nil {
			return err
		}
		p := records[0].Position
		t.remember(p, domain.SideDeviceKey, e.Key)
		t.side(p, domain.SideDeviceLabel, []byte(e.Label))
		id = domain.DeviceID(p)
		return nil
	})
	return id, err
}

// Identify gives the device with that public key, see [Devices].
func (b *Broker) Identify(key []byte) (domain.DeviceID, error) { return b.dir.device(key) }

// RevokeDevice takes a device's key away and ends its sessions.
func (b *Broker) RevokeDevice(ctx context.Context, id domain.DeviceID) error {
	return b.seq.finish(ctx, func(t *turn) error {
		_, err := t.decide(domain.RevokeDevice{At: t.now, Device: id})
		return err
	})
}

// Seats gives every seat as it stands, by ascending id, with when each device was
// last heard of.
func (b *Broker) Seats(ctx context.Context) (seats []domain.Seat, err error) {
	err = b.seq.look(ctx, func(t *turn) { seats = slices.Collect(t.ledger().Seats()) })
	return seats, err
}

// Queues gives for each service how far the queue of the devices that found it
// full reaches into the future: when the last of them is to return.
func (b *Broker) Queues(ctx context.Context) (map[domain.ServiceName]time.Duration, error) {
	queues := make(map[domain.ServiceName]time.Duration)
	err := b.seq.look(ctx, func(t *turn) {
		for s := range t.ledger().Services() {
			queues[s.Name] = max(s.Queue.Sub(t.now), 0)
		}
	})
	return queues, err
}

// EndSession ends a session at an operator's wish.
func (b *Broker) EndSession(ctx context.Context, id domain.SessionID) error {
	return b.seq.finish(ctx, func(t *turn) error {
		_, err := t.decide(domain.EndSession{At: t.now, Session: id, Cause: domain.EndedByOperator})
		return err
	})
}

func (t *turn) service(name domain.ServiceName) (domain.Service, error) {
	service, ok := t.ledger().ServiceNamed(name)
	if !ok {
		return service, fmt.Errorf("%w: %.80q", domain.ErrUnknownService, string(name))
	}
	return service, nil
}

// remember writes a side record and has the directory know it.
func (t *turn) remember(p domain.Position, kind domain.SideKind, value []byte) {
	t.side(p, kind, value)
	t.directory().add(t.ledger(), domain.Side{SideKey: domain.SideKey{Position: p, Kind: kind}, Value: value})
}

// namePerson names a person whom this turn has begun.
func (t *turn) namePerson(known, id domain.PersonID, name string) {
	if known == 0 {
		t.remember(domain.Position(id), domain.SidePersonName, []byte(name))
	}
}

func (t *turn) nameAccount(p domain.Position, name string) {
	t.remember(p, domain.SideAccountName, []byte(name))
}

// maxText is the most bytes in a person's or an account's name.
const maxText = 256

// checkText refuses a name that nobody could read back.
func checkText(what, name string) error {
	switch {
	case name == "":
		return &domain.SettingError{Setting: what, Problem: "empty", Next: "give a name"}
	case len(name) > maxText || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return &domain.SettingError{Setting: what, Problem: "too long, not UTF-8, or with control characters", Next: fmt.Sprintf("give a name of at most %d bytes of plain text", maxText)}
	}
	return nil
}
