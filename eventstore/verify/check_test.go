package verify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
	"rollcall/eventstore/verify"
)

// found gives the findings of a log, a line each: kind, positions, error type.
func found(t testing.TB, log verify.Log) []string {
	t.Helper()
	return lines(check(t, log))
}

func check(t testing.TB, log verify.Log) *verify.Report {
	t.Helper()
	report, err := verify.Check(t.Context(), log, verify.Options{})
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	return report
}

func lines(r *verify.Report) (lines []string) {
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("%v %d-%d %T", f.Kind, f.From, f.To, f.Err))
	}
	return lines
}

func TestPlainLogIsClean(t *testing.T) {
	report := check(t, keep(t, plain(), plainSides()))
	if !report.Clean() {
		t.Fatalf("findings: %v", report.Findings)
	}
	got := []uint64{uint64(report.Last), report.Events, report.Sides, uint64(report.Prefix), uint64(report.Replayed)}
	if diff := cmp.Diff([]uint64{plainEnd, plainEnd, 10, plainEnd, plainEnd}, got); diff != "" {
		t.Errorf("last, events, sides, prefix, replayed (-want +got):\n%s", diff)
	}
}

func TestEmptyLogIsClean(t *testing.T) {
	if got := found(t, keep(t, nil, nil)); got != nil {
		t.Errorf("findings: %v", got)
	}
}

func TestDecidedLogsAreClean(t *testing.T) {
	seen := make(map[domain.EventType]bool)
	rapid.Check(t, func(r *rapid.T) {
		records := draw(r)
		for _, rec := range records {
			seen[rec.Event.Type()] = true
		}
		report := check(t, newFaulty(records))
		if !report.Clean() {
			r.Fatalf("findings: %v", report.Findings)
		}
		if want := domain.Position(len(records)); report.Prefix != want || report.Events != uint64(want) {
			r.Fatalf("prefix %d, %d events, want %d", report.Prefix, report.Events, want)
		}
	})
	for _, e := range domain.EventTypes() {
		if !seen[e] { // a hundred draws hold every one of them many times
			t.Errorf("no log had a %v", e)
		}
	}
}

// Each record in turn is replaced by one that refers to the wrong thing.
func TestWrongReferences(t *testing.T) {
	cases := []struct {
		at    domain.Position
		event domain.Event
		want  []string
	}{
		{chat, &domain.ServiceConfigured{Service: 1, Name: "chat", Settings: domain.Settings{Kind: domain.KindLocal}}, []string{"service"}},
		{plainEnd, &domain.ServiceRemoved{Service: ann}, []string{"service"}},
		{ann, &domain.PersonPermitted{Person: chat, Service: 1}, []string{"person", "service"}},
		{plainEnd, &domain.PersonBarred{Person: anOffer, Account: phone}, []string{"person", "account"}},
		{anOffer, &domain.EnrolmentOffered{Person: chat, ValidFor: time.Hour}, []string{"person"}},
		{phone, &domain.DeviceEnrolled{Person: ann, Offer: ann}, []string{"offer"}},
		{plainEnd, &domain.DeviceRevoked{Device: anOffer}, []string{"device"}},
		{plainEnd, &domain.LoginRequested{Device: ann, Service: ann, Account: chat}, []string{"device", "service", "account"}},
		{plainEnd, &domain.LoginAdmitted{Session: lost}, []string{"session"}},
		{plainEnd, &domain.LoginAccepted{Session: lost}, []string{"session"}},
		{plainEnd, &domain.LoginRejected{Session: lost}, []string{"session"}},
		{plainEnd, &domain.CoverageLost{Session: phone}, []string{"session"}},
		{plainEnd, &domain.CoverageRegained{Session: phone}, []string{"session"}},
		{plainEnd, &domain.SessionResumed{Session: phone}, []string{"session"}},
		{plainEnd, &domain.SessionEnded{Session: phone}, []string{"session"}},
		{plainEnd, &domain.SessionIdledOut{Session: phone, For: chat}, []string{"session", "for"}},
		{plainEnd, &domain.SessionEnded{Session: 0}, []string{"session"}},
		{plainEnd, &domain.SessionEnded{Session: 99}, []string{"session"}}, // no codec writes that
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%v at %d", c.event.Type(), c.at), func(t *testing.T) {
			records := plain()
			records[c.at-1].Event = c.event
			var fields []string
			for _, f := range check(t, newFaulty(records)).Findings {
				var wrong *verify.ReferenceError
				if f.Kind != verify.Reference || f.From != c.at {
					continue
				}
				if !errors.As(f.Err, &wrong) || wrong.Position != c.at || wrong.Event != c.event.Type() {
					t.Fatalf("finding %+v", f)
				}
				fields = append(fields, wrong.Field)
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Errorf("wrong references (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryEventHasReferences(t *testing.T) {
	for _, name := range verify.EventsWithoutReferences() {
		t.Errorf("%s is not in the table", name)
	}
}

func TestWrongSides(t *testing.T) {
	cases := []struct {
		name string
		side domain.Side
		want string
	}{
		{"a person's name under a service", side(chat, domain.SidePersonName, "ann"), "side-record 2-2 *verify.SideError"},
		{"a person's name under an offer that begins nobody", side(anOffer, domain.SidePersonName, "ann"), "side-record 4-4 *verify.SideError"},
		{"an account's name under a device", side(phone, domain.SideAccountName, "x"), "side-record 5-5 *verify.SideError"},
		{"a label under a login", side(first, domain.SideDeviceLabel, "x"), "side-record 6-6 *verify.SideError"},
		{"a key that is too short", side(phone, domain.SideDeviceKey, "short"), "side-record 5-5 *verify.SideError"},
		{"a secret that is too long", side(anOffer, domain.SideOfferSecret, key+key), "side-record 4-4 *verify.SideError"},
		{"a secret under a person", side(ann, domain.SideOfferSecret, key), "side-record 3-3 *verify.SideError"},
		{"credentials under an end", side(lastOne, domain.SideCredentials, "x"), "side-record 14-14 *verify.SideError"},
		{"an address past the end", side(plainEnd+1, domain.SideAddress, "x"), "side-record 16-16 *verify.SideError"},
		{"a kind of later", side(first, 99, "x"), "unknown 6-6 *verify.SideError"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			log := newFaulty(plain())
			log.sides = []domain.Side{c.side}
			if diff := cmp.Diff([]string{c.want}, found(t, log)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongDecisions(t *testing.T) {
	cases := []struct {
		name  string
		wreck func([]domain.Record) []domain.Record
		want  []string
	}{
		{"a login that was let in without a seat", func(r []domain.Record) []domain.Record {
			r[first].Event = &domain.LoginAdmitted{Session: first, Seats: 2, Limit: domain.Some[uint32](2)}
			return r
		}, []string{"decision 7-7 *domain.MismatchError"}},
		{"an end in the middle of a decision", func(r []domain.Record) []domain.Record { return r[:second] },
			[]string{"decision 11-11 *domain.MismatchError"}},
		{"a second stop is as good as the first", func(r []domain.Record) []domain.Record {
			return append(r, domain.Record{Position: plainEnd + 1, Time: r[len(r)-1].Time, Event: &domain.BrokerStopped{}})
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, found(t, newFaulty(c.wreck(plain())))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPositionsAndTimes(t *testing.T) {
	cases := []struct {
		name   string
		wreck  func(*faulty)
		want   []string
		prefix domain.Position
	}{
		{"a record is left out", func(f *faulty) { f.records[8].Position = 10; f.records = f.records[:9] },
			[]string{"order 9-9 *verify.PositionError", "order 11-15 *verify.PositionError"}, 8},
		{"a record comes twice", func(f *faulty) { f.records[8].Position = 8 },
			[]string{"order 8-8 *verify.PositionError", "order 9-9 *verify.PositionError"}, 8},
		{"the log ends early", func(f *faulty) { f.records = f.records[:9] },
			[]string{"order 10-15 *verify.PositionError"}, 9},
		{"the time goes back", func(f *faulty) { f.records[9].Time = start },
			[]string{"time 10-10 *verify.TimeError"}, 9},
		{"a time with microseconds", func(f *faulty) { f.records[14].Time = f.records[14].Time.Add(time.Microsecond) },
			[]string{"time 15-15 *verify.TimeError"}, 14},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			log := newFaulty(plain())
			c.wreck(log)
			report := check(t, log)
			if diff := cmp.Diff(c.want, lines(report)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if report.Prefix != c.prefix {
				t.Errorf("Prefix = %d, want %d", report.Prefix, c.prefix)
			}
		})
	}
}

// block is a stretch that cannot be read.
func block(from, to, told domain.Position) func(domain.Position) error {
	return func(p domain.Position) error {
		if p < from || p > to {
			return nil
		}
		return &eventstore.DamageError{Path: "x", From: from, To: told, Problem: "wrong"}
	}
}

func TestDamage(t *testing.T) {
	unknown := func(p domain.Position) error {
		if p != lost {
			return nil
		}
		return &codec.UnknownEventError{Position: p, Time: start, Number: 30}
	}
	each := func(p domain.Position) error { // a log that tells of each position anew
		if p < 4 || p > 8 {
			return nil
		}
		return &eventstore.DamageError{Path: "x", From: p, Problem: "missing"}
	}
	cases := []struct {
		name             string
		faults           func(domain.Position) error
		want             []string
		events           uint64
		prefix, replayed domain.Position
	}{
		{"whose end is told", block(6, 9, 9), []string{"damage 6-9 *eventstore.DamageError"}, 11, 5, 5},
		{"whose end is not told", block(6, 9, 0), []string{"damage 6-9 *eventstore.DamageError"}, 11, 5, 5},
		{"of one record", block(7, 7, 0), []string{"damage 7-7 *eventstore.DamageError"}, 14, 5, 6},
		{"up to the end", block(10, 15, 0), []string{"damage 10-15 *eventstore.DamageError"}, 9, 9, 9},
		{"of everything", block(1, 15, 0), []string{"damage 1-15 *eventstore.DamageError"}, 0, 0, 0},
		{"of each record", each, []string{"damage 4-8 *eventstore.DamageError"}, 10, 3, 3},
		{"from a newer version", unknown, []string{"unknown 9-9 *codec.UnknownEventError"}, 14, 8, 8},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			log := newFaulty(plain())
			log.faults, log.sides = c.faults, plainSides()
			report := check(t, log)
			if diff := cmp.Diff(c.want, lines(report)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if report.Events != c.events || report.Prefix != c.prefix || report.Replayed != c.replayed {
				t.Errorf("%d events, prefix %d, replayed %d; want %d, %d, %d", report.Events, report.Prefix, report.Replayed, c.events, c.prefix, c.replayed)
			}
		})
	}
}

// Any number of damaged stretches is named to the position, however long.
func TestDamageIsNamedExactly(t *testing.T) {
	records := longLog(3000)
	rapid.Check(t, func(r *rapid.T) {
		lostAt := make([]domain.Position, len(records)+1) // where the stretch begins that a position lies in
		var want []string
		for p := 1 + rapid.IntRange(0, 900).Draw(r, "first"); p <= len(records); p += 1 + rapid.IntRange(1, 900).Draw(r, "gap") {
			from := p
			to := min(len(records), p+rapid.IntRange(0, 900).Draw(r, "length"))
			for ; p <= to; p++ {
				lostAt[p] = domain.Position(from)
			}
			want = append(want, fmt.Sprintf("damage %d-%d *eventstore.DamageError", from, to))
		}
		log := newFaulty(records)
		log.faults = func(p domain.Position) error {
			if int(p) >= len(lostAt) || lostAt[p] == 0 {
				return nil
			}
			return &eventstore.DamageError{Path: "x", From: lostAt[p], Problem: fmt.Sprint("wrong from ", lostAt[p])}
		}
		if diff := cmp.Diff(want, found(t, log)); diff != "" {
			r.Fatalf("findings (-want +got):\n%s", diff)
		}
	})
}

// longLog is n records that make sense.
func longLog(n int) []domain.Record {
	s := newStory()
	for len(s.records) < n {
		s.do(domain.StopBroker{At: s.now})
		s.now = s.now.Add(time.Second)
	}
	return s.records
}

func TestDamagedSides(t *testing.T) {
	log := newFaulty(plain())
	log.sides = plainSides()
	log.bad = func(k domain.SideKey) error {
		if k.Position == phone && k.Kind == domain.SideDeviceLabel || k.Position == second && k.Kind == domain.SideCredentials {
			return &eventstore.DamageError{Path: "x", From: k.Position, To: k.Position, Problem: "wrong"}
		}
		return nil
	}
	report := check(t, log)
	want := []string{"damage 5-5 *eventstore.DamageError", "damage 10-10 *eventstore.DamageError"}
	if diff := cmp.Diff(want, lines(report)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if report.Sides != 8 {
		t.Errorf("%d side records could be read, want 8", report.Sides)
	}
}

func TestOtherErrorsEndTheCheck(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verify.Check(ctx, keep(t, plain(), nil), verify.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Check: %v, want that it was cancelled", err)
	}
	log := keep(t, plain(), nil)
	_ = log.Close()
	if _, err := verify.Check(t.Context(), log, verify.Options{}); !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Check: %v, want ErrClosed", err)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	records := longLog(5000)
	for i := range records {
		records[i].Event = &domain.SessionEnded{Session: 1, Cause: domain.EndLogout}
	}
	report := check(t, newFaulty(records))
	if got := len(report.Findings); got != 1000 {
		t.Errorf("%d findings are listed, want 1000", got)
	}
	if got := report.Found[verify.Reference]; got != 5000 {
		t.Errorf("%d references were counted, want 5000", got)
	}
}

func TestProgress(t *testing.T) {
	var last, total, calls uint64
	_, err := verify.Check(t.Context(), newFaulty(longLog(20_000)), verify.Options{Progress: func(events, of uint64) {
		if events < last {
			t.Errorf("progress went back from %d to %d", last, events)
		}
		last, total, calls = events, of, calls+1
	}})
	if err != nil || last != 20_000 || total != 20_000 || calls < 3 {
		t.Errorf("progress ended at %d of %d after %d calls, %v", last, total, calls, err)
	}
}

func TestDecisionsOnly(t *testing.T) {
	log := newFaulty(plain())
	log.sides = []domain.Side{side(chat, domain.SidePersonName, "x")}
	log.records[first].Event = &domain.LoginAdmitted{Session: first, Seats: 2}
	report, err := verify.Check(t.Context(), log, verify.Options{DecisionsOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"decision 7-7 *domain.MismatchError"}, lines(report)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
