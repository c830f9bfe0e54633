package broker

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"rollcall/domain"
)

// Erased says what was deleted of a person.
type Erased struct {
	Person  domain.PersonID
	Devices int // that were revoked now
	Sides   int // side records that were deleted
}

// forgetAtOnce is how many side records are deleted in one turn.
const forgetAtOnce = 1024

// ErasePerson takes a person's accounts and devices away, which ends the person's
// sessions and is recorded, and then deletes the personal data: every side record
// under the person, the person's accounts, enrolment offers and devices, and all
// logins of these devices; and what waits in the inbox for these devices. The events stay and name nobody. Enrolment strings that
// are still open are void.
//
// The person's name is the last to go: after an error, calling again goes on. The
// bytes remain in the log's files until those are written anew.
func (b *Broker) ErasePerson(ctx context.Context, name string) (erased Erased, err error) {
	err = b.seq.do(ctx, func(t *turn) error {
		erased.Person = t.directory().person(name)
		erased.Devices, err = t.expel(erased.Person)
		return err
	})
	if err != nil {
		return erased, err
	}
	if err := b.sweep(ctx); err != nil {
		return erased, fmt.Errorf("remove what waits for the person's devices: %w", err)
	}
	keys, err := b.personal(ctx, erased.Person)
	if err != nil {
		return erased, fmt.Errorf("look for what belongs to the person: %w", err)
	}
	for some := range slices.Chunk(keys, forgetAtOnce) {
		err := b.seq.do(ctx, func(t *turn) error {
			t.forgetAll(some)
			return nil
		})
		if err != nil {
			return erased, err
		}
		erased.Sides += len(some)
	}
	return erased, nil
}

// expel bars a person from everything and revokes the person's devices. Only the
// first command can be refused.
func (t *turn) expel(person domain.PersonID) (devices int, err error) {
	if _, err := t.decide(domain.BarPerson{At: t.now, Person: person}); err != nil {
		return 0, err
	}
	for _, id := range t.directory().everyDevice() {
		d, ok := t.ledger().Device(id)
		if !ok || d.Person != person || d.Revoked {
			continue
		}
		if _, err := t.decide(domain.RevokeDevice{At: t.now, Device: d.ID}); err != nil {
			return devices, err
		}
		devices++
	}
	return devices, nil
}

// everyDevice gives all devices there are, revoked ones included.
func (d *directory) everyDevice() []domain.DeviceID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Sorted(maps.Values(d.devices))
}

// personal gives the keys of a person's side records, the name's last.
func (b *Broker) personal(ctx context.Context, person domain.PersonID) (keys []domain.SideKey, err error) {
	owned := ownership{person: person, at: map[domain.Position]bool{domain.Position(person): true}}
	for r, err := range b.log.Read(ctx, 1) {
		if err != nil {
			return nil, err
		}
		owned.note(r)
	}
	name := domain.SideKey{Position: domain.Position(person), Kind: domain.SidePersonName}
	for s, err := range b.log.Sides(ctx) {
		if err != nil {
			return nil, err
		}
		if owned.at[s.Position] && s.SideKey != name {
			keys = append(keys, s.SideKey)
		}
	}
	return append(keys, name), nil
}

// ownership gathers which events are a person's: barred accounts and sessions that
// are over are only in the log.
type ownership struct {
	person domain.PersonID
	at     map[domain.Position]bool
}

func (o *ownership) note(r domain.Record) {
	var theirs bool
	switch e := r.Event.(type) {
	case *domain.PersonPermitted:
		theirs = e.Person == o.person
	case *domain.EnrolmentOffered:
		theirs = e.Person == o.person
	case *domain.DeviceEnrolled:
		theirs = e.Person == o.person
	case *domain.LoginRequested:
		theirs = o.at[domain.Position(e.Device)]
	}
	if theirs {
		o.at[r.Position] = true
	}
}

// forgetAll deletes side records, and has the directory forget them too.
func (t *turn) forgetAll(keys []domain.SideKey) {
	t.batch.Forget = append(t.batch.Forget, keys...)
	t.directory().forget(keys)
}

// forget is the reverse of add.
func (d *directory) forget(keys []domain.SideKey) {
	gone := make(map[domain.SideKey]bool, len(keys))
	for _, key := range keys {
		gone[key] = true
	}
	is := func(kind domain.SideKind, p domain.Position) bool {
		return gone[domain.SideKey{Position: p, Kind: kind}]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.people, func(_ string, id domain.PersonID) bool {
		return is(domain.SidePersonName, domain.Position(id))
	})
	maps.DeleteFunc(d.accounts, func(_ accountName, id domain.AccountID) bool {
		return is(domain.SideAccountName, domain.Position(id))
	})
	maps.DeleteFunc(d.devices, func(_ [keySize]byte, id domain.DeviceID) bool {
		return is(domain.SideDeviceKey, domain.Position(id))
	})
	maps.DeleteFunc(d.keys, func(id domain.DeviceID, _ [keySize]byte) bool {
		return is(domain.SideDeviceKey, domain.Position(id))
	})
	maps.DeleteFunc(d.offers, func(_ [sha256.Size]byte, id domain.OfferID) bool {
		return is(domain.SideOfferSecret, domain.Position(id))
	})
}
