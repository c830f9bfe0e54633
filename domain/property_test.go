package domain_test

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/domain"
)

// stepsPerRun times the 100 runs that rapid makes is the least that is tried; the long
// form goes further.
var stepsPerRun = longer(200, 400)

// longer gives the second number where the long forms of the tests are wanted.
func longer(short, long int) int {
	if os.Getenv("ROLLCALL_TORTURE") != "" {
		return long
	}
	return short
}

// TestPromises lets random commands and touches run over one ledger and checks
// after each that the log holds what it promises (see model), that the log
// alone makes the same ledger, that every decision follows from the log, and that a
// ledger restored from a state that was taken anywhere, also in the middle of a
// decision, decides the rest as the one it was taken from.
func TestPromises(t *testing.T) {
	seen := make(map[string]int)
	rapid.Check(t, func(t *rapid.T) {
		r := &randomRun{T: t, ledger: domain.NewLedger(), folded: domain.NewLedger(), restored: domain.NewLedger(), replay: domain.NewReplay(), model: newModel(), now: start, seen: seen}
		for range stepsPerRun {
			r.step()
		}
		r.again()
	})
	for _, e := range domain.EventTypes() {
		if seen[e.String()] == 0 {
			t.Errorf("no run made a %v event", e)
		}
	}
	for code := domain.RejectUnknownService; code <= domain.RejectInterrupted; code++ {
		if seen[code.String()] == 0 {
			t.Errorf("no run refused a login as %v", code)
		}
	}
	t.Logf("events: %v", seen)
}

type randomRun struct {
	*rapid.T
	ledger, folded, restored *domain.Ledger
	replay                   *domain.Replay
	model                    *model
	now                      time.Time
	log                      []domain.Record
	done                     []any // commands and touches
	seen                     map[string]int
}

type touched struct {
	session domain.SessionID
	at      time.Time
}

func (r *randomRun) step() {
	r.now = r.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1000, 300, 4000, 0, 2000, 1, -700}).Draw(r.T, "passes")) * time.Millisecond)
	if id := r.session(); id != 0 && rapid.IntRange(0, 3).Draw(r.T, "touch") == 0 {
		r.done = append(r.done, touched{id, r.now})
		r.ledger.Touch(id, r.now)
		r.restored.Touch(id, r.now)
		r.model.touch(id, r.now)
		return
	}
	c := r.command()
	r.done = append(r.done, c)
	events, err := domain.Decide(r.ledger, c)
	if same, sameErr := domain.Decide(r.restored, c); !reflect.DeepEqual(events, same) || !reflect.DeepEqual(err, sameErr) {
		r.Fatalf("%T %+v: the restored ledger gives %v, want %v (-first +restored):\n%s", c, c, sameErr, err, cmp.Diff(events, same))
	}
	r.record(c, events)
	var setting *domain.SettingError
	if errors.As(err, &setting) {
		r.Fatalf("%T %+v: %v", c, c, err)
	}
}

func (r *randomRun) record(c domain.Command, events []domain.Event) {
	var records []domain.Record
	at := r.ledger.Stamp(r.now)
	for _, e := range events {
		rec := domain.Record{Position: r.ledger.Position() + 1, Time: at, Event: e}
		r.ledger.Apply(rec)
		r.folded.Apply(rec)
		r.restored.Apply(rec)
		r.maybeRestore()
		if err := r.replay.Next(rec); err != nil {
			r.Fatalf("after %+v: %v", c, err)
		}
		records = append(records, rec)
		r.count(e)
	}
	r.log = append(r.log, records...)
	r.model.decided(records)
	r.check(c)
}

// maybeRestore has the restored ledger begin anew, from time to time.
func (r *randomRun) maybeRestore() {
	if rapid.IntRange(0, 39).Draw(r.T, "restore") < 39 {
		return
	}
	restored, err := domain.Restore(r.ledger.State())
	if err != nil {
		r.Fatalf("at position %d: %v", r.ledger.Position(), err)
	}
	r.restored = restored
}

func (r *randomRun) count(e domain.Event) {
	r.seen[e.Type().String()]++
	if e, ok := e.(*domain.LoginRejected); ok {
		r.seen[e.Code.String()]++
	}
}

func (r *randomRun) check(c domain.Command) {
	for _, broken := range r.model.broken {
		r.Fatalf("after %T %+v: %s", c, c, broken)
	}
	for s := range r.ledger.Services() {
		if want := r.model.taken(s.ID); s.Seats != want {
			r.Fatalf("after %+v: service %d has %d seats, want %d", c, s.ID, s.Seats, want)
		}
	}
	for s := range r.ledger.Seats() {
		if want := r.model.seats[s.Session]; s.Live != want.live || s.Live && (s.Covered != want.covered || !s.Heard.Equal(want.at)) {
			r.Fatalf("after %+v: seat %+v, want %+v", c, s, *want)
		}
	}
	live, folded, restored := r.ledger.State(), r.folded.State(), r.restored.State()
	if !reflect.DeepEqual(live, restored) {
		r.Fatalf("after %+v the restored ledger has another state (-live +restored):\n%s", c, cmp.Diff(live, restored))
	}
	live.Heard, folded.Heard = nil, nil
	if !reflect.DeepEqual(live, folded) {
		r.Fatalf("after %+v the log gives another state (-live +folded):\n%s", c, cmp.Diff(live, folded))
	}
}

// again runs the same commands and touches on a new ledger.
func (r *randomRun) again() {
	ledger := domain.NewLedger()
	var log []domain.Record
	for _, done := range r.done {
		switch done := done.(type) {
		case touched:
			ledger.Touch(done.session, done.at)
		case domain.Command:
			at := r.ledger.Stamp(start)
			events, _ := domain.Decide(ledger, done)
			for _, e := range events {
				if len(log) < len(r.log) {
					at = r.log[len(log)].Time
				}
				rec := domain.Record{Position: ledger.Position() + 1, Time: at, Event: e}
				ledger.Apply(rec)
				log = append(log, rec)
			}
		}
	}
	if diff := cmp.Diff(r.log, log); diff != "" {
		r.Fatalf("the same commands give another log (-first +again):\n%s", diff)
	}
	if diff := cmp.Diff(r.ledger.State(), ledger.State()); diff != "" {
		r.Fatalf("the same commands give another state (-first +again):\n%s", diff)
	}
	if err := r.replay.End(); err != nil {
		r.Fatal(err)
	}
}

func draw[T any](r *randomRun, what string, from []T) T {
	if len(from) == 0 {
		var none T
		return none
	}
	return rapid.SampledFrom(from).Draw(r.T, what)
}

func (r *randomRun) session() domain.SessionID {
	var ids []domain.SessionID
	for s := range r.ledger.Seats() {
		ids = append(ids, s.Session)
	}
	return draw(r, "session", ids)
}

// live gives a service that is configured.
func (r *randomRun) live() domain.ServiceID {
	return draw(r, "service", slices.Collect(r.ledger.Services())).ID
}

// service gives a service that is or was configured.
func (r *randomRun) service() domain.ServiceID {
	return draw(r, "service", slices.Sorted(maps.Keys(r.model.services)))
}

// command draws a command. Logins and what follows them come most often; the
// first commands set the scene.
func (r *randomRun) command() domain.Command {
	state := r.ledger.State()
	switch {
	case len(state.Services) == 0:
		return r.configure()
	case len(slices.DeleteFunc(slices.Clone(state.Devices), func(d domain.Device) bool { return d.Revoked })) < 8:
		return r.enrol(state)
	}
	switch n := rapid.IntRange(0, 99).Draw(r.T, "command"); {
	case n < 40:
		return r.answer()
	case n < 85:
		return r.login(state)
	default:
		return r.rare(state)
	}
}

func (r *randomRun) configure() domain.Command {
	maybe := func(what string) domain.Optional[time.Duration] {
		return draw(r, what, []domain.Optional[time.Duration]{some(time.Second), some(3 * time.Second), some(9 * time.Second), {}})
	}
	limit := func(what string) domain.Optional[uint32] {
		return draw(r, what, []domain.Optional[uint32]{some[uint32](3), some[uint32](2), some[uint32](1), {}})
	}
	return domain.ConfigureService{At: r.now, Name: draw(r, "name", []domain.ServiceName{"a", "b"}), DefaultTotal: draw(r, "total", []domain.Optional[uint32]{{}, some[uint32](4), some[uint32](4), some[uint32](1)}), Settings: domain.Settings{
		Kind: domain.KindLocal, MaxSessions: limit("maximum"), IdleTimeout: maybe("idle"),
		InactivityTimeout: maybe("inactivity"), Evict: draw(r, "evict", []domain.Evict{domain.EvictAll, domain.EvictFewest}),
	}}
}

func (r *randomRun) enrol(state domain.State) domain.Command {
	for _, o := range state.Offers {
		if !o.Spent && r.now.Before(o.Expires) {
			return domain.EnrolDevice{At: r.now, Offer: o.ID}
		}
	}
	var permit []domain.ServiceID
	for _, s := range state.Services {
		permit = append(permit, s.ID)
	}
	return domain.OfferEnrolment{At: r.now, Permit: permit, ValidFor: time.Hour}
}

// login asks with an account of the device's own, mostly.
func (r *randomRun) login(state domain.State) domain.Command {
	device := r.visitor(state)
	if device.ID == 0 {
		return domain.ExpireInactive{At: r.now}
	}
	accounts := state.Accounts
	if rapid.IntRange(0, 9).Draw(r.T, "own") > 0 {
		accounts = slices.DeleteFunc(accounts, func(a domain.Account) bool { return a.Person != device.Person })
	}
	if len(accounts) == 0 {
		return domain.PermitPerson{At: r.now, Person: device.Person, Service: r.live()}
	}
	account := draw(r, "account", accounts)
	return domain.RequestLogin{At: r.now, Device: device.ID, Service: account.Service, Account: account.ID}
}

// visitor draws a device: mostly one without a seat, so that houses fill, and
// often one that has just had a wrong password.
func (r *randomRun) visitor(state domain.State) domain.Device {
	again, eager := rapid.IntRange(0, 4).Draw(r.T, "again") == 4, rapid.Bool().Draw(r.T, "eager")
	var choice []domain.Device
	for _, d := range state.Devices {
		seated := slices.ContainsFunc(state.Seats, func(s domain.Seat) bool { return s.Device == d.ID })
		if d.Revoked || seated && !again {
			continue
		}
		if eager && d.Failures > 0 && r.now.Sub(d.Failed) < time.Second {
			return d
		}
		choice = append(choice, d)
	}
	return draw(r, "device", choice)
}

// answer is what comes for a seat.
func (r *randomRun) answer() domain.Command {
	id := r.session()
	seat, _ := r.ledger.Seat(id)
	codes := []domain.RejectCode{6, 6, 7, 8, 9, 10}
	answers := []domain.Command{
		domain.RegainCoverage{At: r.now, Session: id},
		domain.LoseCoverage{At: r.now, Session: id},
		domain.LoseCoverage{At: r.now, Session: id},
		domain.ResumeSession{At: r.now, Session: id, Device: seat.Device, Fence: seat.Fence + 1},
		domain.EndSession{At: r.now, Session: id, Cause: domain.EndLogout},
	}
	if !seat.Live {
		accept := domain.AcceptLogin{At: r.now, Session: id}
		answers = []domain.Command{accept, accept, accept, accept, domain.RejectLogin{At: r.now, Session: id, Code: draw(r, "code", codes)}}
	}
	return draw(r, "answer", answers)
}

func (r *randomRun) rare(state domain.State) domain.Command {
	device := draw(r, "device", state.Devices)
	return draw(r, "rare", []domain.Command{
		domain.StartBroker{At: r.now, Version: "v"},
		r.configure(), r.configure(),
		domain.RemoveService{At: r.now, Service: r.service()},
		domain.PermitPerson{At: r.now, Person: draw(r, "person", state.People), Service: r.service()},
		domain.PermitPerson{At: r.now, Person: draw(r, "person", state.People), Service: r.service()},
		domain.PermitPerson{At: r.now, Person: device.Person, Service: r.service()},
		domain.BarPerson{At: r.now, Person: device.Person, Account: draw(r, "account", state.Accounts).ID},
		domain.BarPerson{At: r.now, Person: device.Person},
		domain.OfferEnrolment{At: r.now, Person: device.Person, ValidFor: time.Second, Permit: []domain.ServiceID{r.service()}},
		domain.EnrolDevice{At: r.now, Offer: draw(r, "offer", state.Offers).ID},
		domain.RevokeDevice{At: r.now, Device: device.ID},
		domain.ExpireInactive{At: r.now},
		domain.ExpireInactive{At: r.now},
		domain.StopBroker{At: r.now},
		domain.RequestLogin{At: r.now, Device: device.ID},
	})
}
