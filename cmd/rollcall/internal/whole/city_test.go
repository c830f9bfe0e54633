package whole_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"rollcall/adapters/local"
	"rollcall/domain"
	"rollcall/eventstore/boltlog"
)

// city writes a log as a broker writes it, decisions and side records, without
// waiting for anybody.
type city struct {
	testing.TB
	dir     string
	log     *boltlog.Log
	ledger  *domain.Ledger
	now     time.Time
	batch   domain.Batch
	devices []domain.DeviceID
	logins  int
}

// newCity gives a city in which so many people have a device each.
func newCity(tb testing.TB, dir string, people int) *city {
	c := &city{TB: tb, dir: dir, ledger: domain.NewLedger(), now: domain.Instant(time.Now().Add(-240 * time.Hour))}
	accounts := must(local.OpenStore(filepath.Join(dir, "accounts"), local.CheapCost))(tb)
	check(tb, accounts.Add(local.NewAccount{Name: name(0), Password: password}))
	c.open()
	settings := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}}
	c.decide(domain.ConfigureService{At: c.now, Name: "im", Settings: settings})
	for i := range people {
		c.enrol(i)
	}
	return c
}

// open opens the log, and takes in what somebody else has written meanwhile.
func (c *city) open() {
	c.log = must(boltlog.Open(c.dir, boltlog.Options{}))(c)
	for r, err := range c.log.Read(c.Context(), c.ledger.Position()+1) {
		check(c, err)
		c.ledger.Apply(r)
		c.now = r.Time
	}
}

func (c *city) close() {
	c.flush()
	check(c, c.log.Close())
}

// decide decides one thing, and gives the position of its first event.
func (c *city) decide(command domain.Command) domain.Position {
	first := c.ledger.Position() + 1
	for _, e := range must(domain.Decide(c.ledger, command))(c) {
		r := domain.Record{Position: c.ledger.Position() + 1, Time: c.ledger.Stamp(c.now), Event: e}
		c.ledger.Apply(r)
		c.batch.Records = append(c.batch.Records, r)
	}
	return first
}

func (c *city) side(p domain.Position, kind domain.SideKind, value []byte) {
	c.batch.Sides = append(c.batch.Sides, domain.Side{SideKey: domain.SideKey{Position: p, Kind: kind}, Value: value})
}

func (c *city) flush() {
	must(c.log.Append(c.Context(), c.log.Last(), c.batch))(c)
	c.batch = domain.Batch{}
}

// enrol has a person come with a device.
func (c *city) enrol(i int) {
	secret := make([]byte, 32) // its own as far as the log is concerned
	binary.BigEndian.PutUint64(secret, uint64(i))
	person := c.decide(domain.OfferEnrolment{At: c.now, Permit: []domain.ServiceID{1}, ValidFor: time.Hour})
	c.side(person, domain.SidePersonName, []byte(name(i)))
	c.side(person, domain.SideAccountName, []byte(name(i)))
	c.side(person+1, domain.SideOfferSecret, secret)
	device := c.decide(domain.EnrolDevice{At: c.now, Offer: domain.OfferID(person + 1)})
	c.side(device, domain.SideDeviceKey, secret)
	c.side(device, domain.SideDeviceLabel, []byte("a telephone"))
	c.devices = append(c.devices, domain.DeviceID(device))
	if len(c.batch.Records) > 1000 {
		c.flush()
	}
}

// grow has people log in until the log has so many events.
func (c *city) grow(events domain.Position) {
	for c.ledger.Position() < events {
		i := c.logins % len(c.devices)
		device, _ := c.ledger.Device(c.devices[i])
		session := c.decide(domain.RequestLogin{At: c.now, Device: device.ID, Service: 1, Account: domain.AccountID(device.Person)})
		c.decide(domain.AcceptLogin{At: c.now, Session: domain.SessionID(session)})
		c.side(session, domain.SideAddress, fmt.Appendf(nil, "198.51.100.%d:%d", i%256, 1024+c.logins%60000))
		c.now = c.now.Add(3 * time.Millisecond)
		if c.logins++; len(c.batch.Records) > 4000 {
			c.flush()
		}
	}
}
