package domain_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"rollcall/domain"
)

// sizes are the numbers of live sessions that a decision is timed beside. It
// must not matter how many there are.
var sizes = []int{10, 10_000, 1_000_000}

// crowd is a ledger with many live sessions and one device that has none.
type crowd struct {
	ledger  *domain.Ledger
	now     time.Time
	live    []domain.SessionID
	visitor domain.RequestLogin
}

// newCrowd fills a service. Each device belongs to one person, who has one
// account; the sessions were heard of a millisecond apart.
func newCrowd(b *testing.B, n int, settings domain.Settings) *crowd {
	b.Helper()
	c := &crowd{ledger: domain.NewLedger(), now: start}
	c.do(b, domain.ConfigureService{Name: "im", Settings: domain.Settings{Kind: domain.KindLocal}})
	account := domain.AccountID(c.do(b, domain.PermitPerson{Service: 1}))
	for range n + 1 {
		offer := c.do(b, domain.OfferEnrolment{Person: domain.PersonID(account), ValidFor: time.Hour})
		device := domain.DeviceID(c.do(b, domain.EnrolDevice{Offer: domain.OfferID(offer)}))
		c.visitor = domain.RequestLogin{Device: device, Service: 1, Account: account}
		if len(c.live) < n {
			c.live = append(c.live, c.login(b))
		}
	}
	c.do(b, domain.ConfigureService{Name: "im", Settings: settings})
	return c
}

// do decides and applies, a millisecond after the last command, and gives the
// position of the first event.
func (c *crowd) do(b *testing.B, command domain.Command) domain.Position {
	c.now = c.now.Add(time.Millisecond)
	switch command := command.(type) {
	case domain.RequestLogin:
		command.At = c.now
		return c.apply(b, command)
	case domain.AcceptLogin:
		command.At = c.now
		return c.apply(b, command)
	case domain.EndSession:
		command.At = c.now
		return c.apply(b, command)
	}
	return c.apply(b, command)
}

func (c *crowd) apply(b *testing.B, command domain.Command) domain.Position {
	events, err := domain.Decide(c.ledger, command)
	if err != nil {
		b.Fatal(err)
	}
	begin := c.ledger.Position() + 1
	for i, e := range events {
		c.ledger.Apply(domain.Record{Position: begin + domain.Position(i), Time: c.ledger.Stamp(c.now), Event: e})
	}
	return begin
}

func (c *crowd) login(b *testing.B) domain.SessionID {
	session := domain.SessionID(c.do(b, c.visitor))
	c.do(b, domain.AcceptLogin{Session: session})
	return session
}

func eachSize(b *testing.B, bench func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("live=%d", n), func(b *testing.B) { bench(b, n) })
	}
}

// BenchmarkLogin is a session's life: login, acceptance, a status message,
// logout; and a status message of somebody else between.
func BenchmarkLogin(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		c := newCrowd(b, n, domain.Settings{Kind: domain.KindLocal})
		for i := 0; b.Loop(); i++ {
			session := c.login(b)
			c.ledger.Touch(c.live[i%len(c.live)], c.now)
			c.ledger.Touch(session, c.now.Add(time.Millisecond))
			c.do(b, domain.EndSession{Session: session, Cause: domain.EndLogout})
		}
		b.ReportMetric(float64(3*b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}

// BenchmarkEvictFewest lets the visitor log in to a full house, in which it is
// the longest idle who goes.
func BenchmarkEvictFewest(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		settings := domain.Settings{Kind: domain.KindLocal, MaxSessions: domain.Some(uint32(n)), IdleTimeout: domain.Some(time.Second), Evict: domain.EvictFewest}
		c := newCrowd(b, n, settings)
		c.now = c.now.Add(time.Hour)
		victims, devices := c.live, make(map[domain.SessionID]domain.DeviceID, n)
		for _, id := range victims {
			seat, _ := c.ledger.Seat(id)
			devices[id] = seat.Device
		}
		for i := 0; b.Loop(); i++ {
			c.now = c.now.Add(time.Second)
			device := devices[victims[i%n]]
			delete(devices, victims[i%n])
			victims[i%n] = c.login(b)
			devices[victims[i%n]] = c.visitor.Device
			c.visitor.Device = device
		}
		b.ReportMetric(float64(2*b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}

// BenchmarkServerBusy refuses the visitor, because nobody is idle.
func BenchmarkServerBusy(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		c := newCrowd(b, n, domain.Settings{Kind: domain.KindLocal, MaxSessions: domain.Some(uint32(n)), IdleTimeout: domain.Some(10000 * time.Hour)})
		for b.Loop() {
			c.do(b, c.visitor)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}

// BenchmarkTouch is what a status message costs.
func BenchmarkTouch(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		c := newCrowd(b, n, domain.Settings{Kind: domain.KindLocal})
		for i := 0; b.Loop(); i++ {
			c.now = c.now.Add(time.Millisecond)
			c.ledger.Touch(c.live[i%n], c.now)
		}
	})
}

// BenchmarkOutage lets every device lose coverage and come back.
func BenchmarkOutage(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		c := newCrowd(b, n, domain.Settings{Kind: domain.KindLocal})
		for i := 0; b.Loop(); i++ {
			session := c.live[i%n]
			if i/n%2 == 0 {
				c.do(b, domain.LoseCoverage{Session: session})
			} else {
				c.do(b, domain.RegainCoverage{Session: session})
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}

// BenchmarkFold folds and BenchmarkReplay checks the records of logins and
// logouts of 1,000 devices.
func BenchmarkFold(b *testing.B) {
	log := busyLog(b)
	for b.Loop() {
		l := domain.NewLedger()
		for _, r := range log {
			l.Apply(r)
		}
	}
	b.ReportMetric(float64(b.N*len(log))/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkReplay(b *testing.B) {
	log := busyLog(b)
	for b.Loop() {
		r := domain.NewReplay()
		for _, record := range log {
			if err := r.Next(record); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(log))/b.Elapsed().Seconds(), "records/s")
}

func busyLog(b *testing.B) []domain.Record {
	b.Helper()
	w := given(&domain.ServiceConfigured{Service: 1, Name: "im", Settings: domain.Settings{Kind: domain.KindLocal}}, &domain.PersonPermitted{Person: 2, Service: im})
	var devices []domain.DeviceID
	for range 1000 {
		p := w.record(&domain.EnrolmentOffered{Person: 2, ValidFor: time.Hour})[0].Position
		devices = append(devices, domain.DeviceID(w.record(&domain.DeviceEnrolled{Person: 2, Offer: domain.OfferID(p)})[0].Position))
	}
	for i := range 50_000 {
		w.now = w.now.Add(time.Millisecond)
		events, err := w.when(domain.RequestLogin{Device: devices[i%len(devices)], Service: im, Account: 2})
		if err != nil {
			b.Fatal(err)
		}
		w.record(events...)
		seat, _ := w.ledger.Seat(domain.SessionID(w.ledger.Position() - domain.Position(len(events)) + 1))
		w.record(&domain.LoginAccepted{Session: seat.Session})
	}
	return w.log
}

// BenchmarkMemory reports what a session with its device takes.
func BenchmarkMemory(b *testing.B) {
	const n = 200_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		c := newCrowd(b, n, domain.Settings{Kind: domain.KindLocal})
		runtime.GC()
		runtime.ReadMemStats(&after)
		own := uint64(cap(c.live)) * 8
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc-own)/n, "B/session")
		runtime.KeepAlive(c)
	}
}
