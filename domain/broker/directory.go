package broker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"rollcall/domain"
)

// directory tells who is meant by a key, a name or a secret: what the side
// records say, turned round. The sequencer writes it; anybody may ask.
type directory struct {
	mu       sync.RWMutex
	devices  map[[keySize]byte]domain.DeviceID
	keys     map[domain.DeviceID][keySize]byte // devices, turned round again
	revoked  map[domain.DeviceID]bool
	people   map[string]domain.PersonID
	accounts map[accountName]domain.AccountID
	offers   map[[sha256.Size]byte]domain.OfferID
	endings  endings
}

// keySize is the length of a device's public key (X25519) in bytes.
const keySize = 32

// accountName is what a device calls an account.
type accountName struct {
	person  domain.PersonID
	service domain.ServiceID
	name    string
}

// AccountRef names an account on a service, as people do.
type AccountRef struct {
	Service domain.ServiceName
	Account string
}

func newDirectory() *directory {
	d := &directory{}
	d.makeRoom(0)
	return d
}

// load reads the names, keys and secrets of whom l knows.
func (d *directory) load(ctx context.Context, log Log, l *domain.Ledger) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	keys := known(l)
	d.makeRoom(len(keys) / 4)
	for side, err := range log.SidesOf(ctx, keys) {
		if err != nil {
			return err
		}
		d.take(l, side)
	}
	return nil
}

// makeRoom prepares an empty directory for about n people.
func (d *directory) makeRoom(n int) {
	d.devices = make(map[[keySize]byte]domain.DeviceID, n)
	d.keys = make(map[domain.DeviceID][keySize]byte, n)
	d.revoked = make(map[domain.DeviceID]bool, n)
	d.people = make(map[string]domain.PersonID, n)
	d.accounts = make(map[accountName]domain.AccountID, n)
	d.offers = make(map[[sha256.Size]byte]domain.OfferID, n)
}

// known gives the keys of the side records by which l's people, accounts, offers
// and devices are called, sorted.
func known(l *domain.Ledger) []domain.SideKey {
	var keys []domain.SideKey
	for id := range l.People() {
		keys = append(keys, domain.SideKey{Position: domain.Position(id), Kind: domain.SidePersonName})
	}
	for id := range l.Accounts() {
		keys = append(keys, domain.SideKey{Position: domain.Position(id), Kind: domain.SideAccountName})
	}
	for id := range l.Offers() {
		keys = append(keys, domain.SideKey{Position: domain.Position(id), Kind: domain.SideOfferSecret})
	}
	for id := range l.Devices() {
		keys = append(keys, domain.SideKey{Position: domain.Position(id), Kind: domain.SideDeviceKey})
	}
	slices.SortFunc(keys, func(a, b domain.SideKey) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Kind, b.Kind))
	})
	return keys
}

// add takes in one side record whose event is in l. What has been barred since
// is left out: the ledger no longer knows it.
func (d *directory) add(l *domain.Ledger, s domain.Side) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(l, s)
}

// take is add with the lock held.
func (d *directory) take(l *domain.Ledger, s domain.Side) {
	switch s.Kind {
	case domain.SidePersonName:
		d.people[string(s.Value)] = domain.PersonID(s.Position)
	case domain.SideAccountName:
		if a, ok := l.Account(domain.AccountID(s.Position)); ok {
			d.accounts[accountName{a.Person, a.Service, string(s.Value)}] = a.ID
		}
	case domain.SideDeviceKey:
		if device, ok := l.Device(domain.DeviceID(s.Position)); ok && len(s.Value) == keySize {
			d.devices[[keySize]byte(s.Value)] = device.ID
			d.keys[device.ID] = [keySize]byte(s.Value)
			d.revoked[device.ID] = device.Revoked
		}
	case domain.SideOfferSecret:
		if len(s.Value) == sha256.Size {
			d.offers[[sha256.Size]byte(s.Value)] = domain.OfferID(s.Position)
		}
	}
}

// note follows an event that is about to be folded into l.
func (d *directory) note(l *domain.Ledger, r domain.Record) {
	switch e := r.Event.(type) {
	case *domain.DeviceRevoked:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.revoked[e.Device] = true
	case *domain.PersonBarred:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.bar(e)
	case *domain.SessionEnded, *domain.SessionIdledOut:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.endings.follow(l, e)
	}
}

func (d *directory) bar(e *domain.PersonBarred) {
	for name, id := range d.accounts {
		if id == e.Account || e.Account == 0 && name.person == e.Person {
			delete(d.accounts, name)
		}
	}
}

// device gives the device with that public key, if it may be talked to.
func (d *directory) device(key []byte) (domain.DeviceID, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if len(key) != keySize {
		return 0, ErrUnknownKey
	}
	id, ok := d.devices[[keySize]byte(key)]
	switch {
	case !ok:
		return 0, ErrUnknownKey
	case d.revoked[id]:
		return 0, domain.ErrDeviceRevoked
	}
	return id, nil
}

// key gives the public key of a device; zero where it has none.
func (d *directory) key(id domain.DeviceID) [keySize]byte {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.keys[id]
}

func (d *directory) person(name string) domain.PersonID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.people[name]
}

func (d *directory) account(person domain.PersonID, service domain.ServiceID, name string) domain.AccountID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.accounts[accountName{person, service, name}]
}

func (d *directory) offer(secret []byte) domain.OfferID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.offers[sha256.Sum256(secret)]
}

// ended tells how a session of that device ended, as far as that is still known.
func (d *directory) ended(id domain.SessionID, device domain.DeviceID) (ending, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.endings.find(id, device)
}

// endedLast tells that no session of that device and account has ended after e.
func (d *directory) endedLast(e ending) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.endings.isLatest(e)
}

// accountNames gives what each account is called upstream.
func (d *directory) accountNames() map[domain.AccountID]string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	names := make(map[domain.AccountID]string, len(d.accounts))
	for named, id := range d.accounts {
		names[id] = named.name
	}
	return names
}
