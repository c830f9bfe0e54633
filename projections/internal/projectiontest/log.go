package projectiontest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore/memlog"
	"rollcall/projections"
)

// Log gives a log in memory that holds the records.
func Log(t testing.TB, records []domain.Record) *memlog.Log {
	t.Helper()
	log := memlog.New()
	t.Cleanup(func() { _ = log.Close() })
	if _, err := log.Append(t.Context(), 0, domain.Batch{Records: records}); err != nil {
		t.Fatalf("Append: %v", err)
	}
	return log
}

// Draw draws a log as the domain makes it: commands of every kind on few
// services, people and devices, decided and applied.
func Draw(t *rapid.T) ([]domain.Record, *domain.Ledger) {
	d := drawer{t: t, ledger: domain.NewLedger(), now: Begin}
	for range rapid.IntRange(0, 150).Draw(t, "commands") {
		d.step()
	}
	return d.records, d.ledger
}

type drawer struct {
	t       *rapid.T
	ledger  *domain.Ledger
	records []domain.Record
	now     time.Time
}

// step decides one drawn command; one that is refused leaves no record.
func (d *drawer) step() {
	d.now = d.now.Add(time.Duration(rapid.IntRange(0, 40_000).Draw(d.t, "ms")) * time.Millisecond)
	events, err := domain.Decide(d.ledger, d.command())
	if err != nil {
		return
	}
	at := d.ledger.Stamp(d.now)
	for _, e := range events {
		r := domain.Record{Position: d.ledger.Position() + 1, Time: at, Event: e}
		d.ledger.Apply(r)
		d.records = append(d.records, r)
	}
}

func (d *drawer) command() domain.Command {
	return rapid.SampledFrom(commands).Draw(d.t, "command")(d)
}

// commands makes the common ones more likely by naming them more often.
var commands = []func(*drawer) domain.Command{
	func(d *drawer) domain.Command { return domain.StartBroker{At: d.now, Version: "test"} },
	func(d *drawer) domain.Command { return domain.StopBroker{At: d.now} },
	(*drawer).configure, (*drawer).configure,
	(*drawer).offer, (*drawer).offer, (*drawer).enrol, (*drawer).enrol, (*drawer).enrol,
	(*drawer).permit,
	(*drawer).login, (*drawer).login, (*drawer).login, (*drawer).login, (*drawer).login, (*drawer).login,
	(*drawer).accept, (*drawer).accept, (*drawer).accept, (*drawer).accept, (*drawer).accept,
	(*drawer).reject,
	func(d *drawer) domain.Command { return domain.LoseCoverage{At: d.now, Session: d.session()} },
	func(d *drawer) domain.Command { return domain.LoseCoverage{At: d.now, Session: d.session()} },
	func(d *drawer) domain.Command { return domain.RegainCoverage{At: d.now, Session: d.session()} },
	(*drawer).resume,
	func(d *drawer) domain.Command {
		return domain.EndSession{At: d.now, Session: d.session(), Cause: domain.EndLogout}
	},
	func(d *drawer) domain.Command { return domain.ExpireInactive{At: d.now} },
	func(d *drawer) domain.Command {
		return domain.RevokeDevice{At: d.now, Device: pick(d, deviceOf)}
	},
	func(d *drawer) domain.Command { return domain.BarPerson{At: d.now, Person: pick(d, personOf)} },
	func(d *drawer) domain.Command { return domain.RemoveService{At: d.now, Service: d.service()} },
}

func (d *drawer) configure() domain.Command {
	s := domain.Settings{Kind: domain.KindLocal, IdleTimeout: domain.Some(time.Minute)}
	s.MaxSessions = domain.Some(rapid.Uint32Range(1, 3).Draw(d.t, "max"))
	if rapid.Bool().Draw(d.t, "total only") {
		s.MaxSessions = domain.Optional[uint32]{}
		s.InactivityTimeout = domain.Some(5 * time.Minute)
		s.Options = map[string]string{"tls": "required"}
	}
	name := rapid.SampledFrom([]domain.ServiceName{"chat", "work"}).Draw(d.t, "name")
	return domain.ConfigureService{At: d.now, Name: name, Settings: s, DefaultTotal: domain.Some[uint32](2)}
}

func (d *drawer) offer() domain.Command {
	c := domain.OfferEnrolment{At: d.now, ValidFor: 5 * time.Minute}
	for s := range d.ledger.Services() {
		c.Permit = append(c.Permit, s.ID)
	}
	return c
}

func (d *drawer) enrol() domain.Command {
	return domain.EnrolDevice{At: d.now, Offer: pick(d, func(r domain.Record) (domain.OfferID, bool) {
		_, ok := r.Event.(*domain.EnrolmentOffered)
		return domain.OfferID(r.Position), ok
	})}
}

func (d *drawer) permit() domain.Command {
	return domain.PermitPerson{At: d.now, Person: pick(d, personOf), Service: d.service()}
}

func (d *drawer) login() domain.Command {
	device := pick(d, deviceOf)
	known, _ := d.ledger.Device(device)
	account := pick(d, func(r domain.Record) (domain.AccountID, bool) {
		e, ok := r.Event.(*domain.PersonPermitted)
		return domain.AccountID(r.Position), ok && e.Person == known.Person
	})
	a, ok := d.ledger.Account(account)
	if !ok {
		a.Service = d.service()
	}
	return domain.RequestLogin{At: d.now, Device: device, Service: a.Service, Account: account}
}

func (d *drawer) accept() domain.Command {
	return domain.AcceptLogin{At: d.now, Session: d.session()}
}

func (d *drawer) reject() domain.Command {
	return domain.RejectLogin{At: d.now, Session: d.session(), Code: domain.RejectBadCredentials}
}

func (d *drawer) resume() domain.Command {
	s, _ := d.ledger.Seat(d.session())
	return domain.ResumeSession{At: d.now, Session: s.Session, Device: s.Device, Fence: s.Fence + 1}
}

func (d *drawer) session() domain.SessionID {
	var ids []domain.SessionID
	for s := range d.ledger.Seats() {
		ids = append(ids, s.Session)
	}
	return choose(d, ids)
}

func (d *drawer) service() domain.ServiceID {
	var ids []domain.ServiceID
	for s := range d.ledger.Services() {
		ids = append(ids, s.ID)
	}
	return choose(d, ids)
}

func deviceOf(r domain.Record) (domain.DeviceID, bool) {
	_, ok := r.Event.(*domain.DeviceEnrolled)
	return domain.DeviceID(r.Position), ok
}

func personOf(r domain.Record) (domain.PersonID, bool) {
	e, ok := r.Event.(*domain.EnrolmentOffered)
	if !ok {
		return 0, false
	}
	return e.Person, true
}

// pick draws one of the names that of finds in the log; zero if it finds none.
func pick[K any](d *drawer, of func(domain.Record) (K, bool)) K {
	var ids []K
	for _, r := range d.records {
		if id, ok := of(r); ok {
			ids = append(ids, id)
		}
	}
	return choose(d, ids)
}

func choose[K any](d *drawer, ids []K) K {
	if len(ids) == 0 {
		var none K
		return none
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(d.t, "which")]
}

// Fold folds the records in one go and gives the rows as text.
func Fold(t testing.TB, p projections.Projection, records []domain.Record) string {
	t.Helper()
	f := p.New()
	for _, r := range records {
		if err := f.Apply(r); err != nil {
			t.Fatalf("Apply(%d): %v", r.Position, err)
		}
	}
	return Stored(t, f)
}

// Stored saves a fold and gives the rows as text.
func Stored(t testing.TB, f projections.Fold) string {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "view.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var text string
	err = db.Update(func(tx *bbolt.Tx) error {
		view, err := tx.CreateBucket([]byte("view"))
		if err != nil {
			return err
		}
		if err := f.Save(view); err != nil {
			return err
		}
		text = Dump(view)
		return nil
	})
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return text
}

// Dump gives a view's rows as text, one a line.
func Dump(view *bbolt.Bucket) string {
	var b strings.Builder
	_ = view.ForEach(func(k, v []byte) error {
		fmt.Fprintf(&b, "%s %s\n", k, v)
		return nil
	})
	return b.String()
}
