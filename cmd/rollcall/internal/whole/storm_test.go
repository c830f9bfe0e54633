package whole_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/codec"
)

// plan is what the devices of a storm do after Server Busy, and once they are in.
type plan struct {
	Obey  bool          // return when told to
	Again time.Duration // where they do not obey: return after that; zero: never
	Stay  time.Duration // log out after that; zero: never
}

// answers are what became of the devices of one process.
type answers struct {
	First    []time.Duration // of each device, when its first answer came
	In       []time.Duration // when it was let in, of those that were
	Refusals []time.Duration // every Server Busy, when it came
	Longest  time.Duration   // the longest that one was told to stay away
	Retries  int             // links that came to nothing
	Strange  int             // of them, those after which the device thought it was not enrolled
}

func (a *answers) join(b answers) {
	a.First, a.In, a.Refusals = append(a.First, b.First...), append(a.In, b.In...), append(a.Refusals, b.Refusals...)
	a.Longest, a.Retries, a.Strange = max(a.Longest, b.Longest), a.Retries+b.Retries, a.Strange+b.Strange
}

// storm has all devices log in at the same moment, and answers with the answers.
func (p *players) storm(rest string) {
	var plan plan
	if err := json.Unmarshal([]byte(rest), &plan); err != nil {
		log.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var total answers
	began := time.Now()
	for i := range p.clients {
		all.Go(func() {
			mine := plan.run(p.clients[i], p.names[i], began)
			mu.Lock()
			defer mu.Unlock()
			total.join(mine)
		})
	}
	all.Wait()
	tell(total)
}

// run is one device of a storm.
func (p plan) run(c *device.Client, name string, began time.Time) (a answers) {
	for {
		session, err := c.Login(context.Background(), "im", name, password)
		var refused *device.RejectedError
		switch {
		case errors.As(err, new(*device.NoCoverageError)), errors.Is(err, device.ErrNoAnswer):
			a.Retries++
			if errors.Is(err, device.ErrNoAnswer) {
				a.Strange++
			}
			time.Sleep(time.Second/2 + mathrand.N(time.Second))
			continue
		case err != nil && !errors.As(err, &refused):
			log.Fatal(err)
		}
		now := time.Since(began)
		if len(a.First) == 0 {
			a.First = append(a.First, now)
		}
		if err == nil {
			a.In = append(a.In, now)
			p.stay(session)
			return a
		}
		if refused.Code != domain.RejectServerBusy {
			log.Fatal(refused)
		}
		a.Refusals = append(a.Refusals, now)
		a.Longest = max(a.Longest, refused.RetryAfter)
		pause := p.Again
		if p.Obey {
			pause = refused.RetryAfter
		}
		if pause == 0 {
			return a
		}
		time.Sleep(pause)
	}
}

// stay keeps a session for as long as is planned.
func (p plan) stay(s *device.Session) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := s.Run(context.Background(), device.Handler{}); err != nil {
			log.Fatal(err)
		}
	}()
	if p.Stay == 0 {
		return
	}
	time.Sleep(p.Stay)
	s.Logout()
	<-over
}

// talk is what pairs of devices that are logged in say to each other.
type talk struct {
	quit chan struct{}
	all  sync.WaitGroup

	mu      sync.Mutex
	unheard map[string]time.Time // what was said, when
	silence *sync.Cond           // all has been heard
	took    []time.Duration
}

// startTalking logs everybody in, and then has each say something to its
// neighbour every so often.
func (p *players) startTalking(every string) {
	pause, err := time.ParseDuration(every)
	if err != nil {
		log.Fatal(err)
	}
	t := &talk{quit: make(chan struct{}), unheard: make(map[string]time.Time)}
	t.silence = sync.NewCond(&t.mu)
	p.talk = t
	sessions := make([]*device.Session, len(p.clients))
	atOnce(len(p.clients), func(i int) (err error) {
		sessions[i], err = p.clients[i].Login(context.Background(), "im", p.names[i], password)
		return err
	})
	for i, session := range sessions {
		go session.Run(context.Background(), device.Handler{Item: t.hear})
		t.all.Go(func() { t.keepSaying(session, p.names[i^1], pause) })
	}
	fmt.Println("talking")
}

// keepSaying says something at once, for a small storm is soon over, and then every so
// often, until it is time to be quiet.
func (t *talk) keepSaying(s *device.Session, to string, pause time.Duration) {
	t.say(s, to)
	time.Sleep(mathrand.N(pause))
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-t.quit:
			return
		case <-tick.C:
			t.say(s, to)
		}
	}
}

// say sends a message of which no other is like it.
func (t *talk) say(s *device.Session, to string) {
	body := rand.Text()
	t.mu.Lock()
	t.unheard[body] = time.Now()
	t.mu.Unlock()
	if _, err := s.Send(to, body); err != nil {
		log.Fatal(err)
	}
}

// hear notes how long a message took. One that was not acknowledged to an earlier
// session comes once more, and counts for nothing.
func (t *talk) hear(item broker.Item) error {
	m, is := item.Body.(broker.MessageReceived)
	if !is {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if said, waiting := t.unheard[m.Body]; waiting {
		t.took = append(t.took, time.Since(said))
		delete(t.unheard, m.Body)
		t.silence.Broadcast()
	}
	return nil
}

// stopTalking answers with how long each message took, when all have arrived.
func (p *players) stopTalking(string) {
	t := p.talk
	close(t.quit)
	t.all.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.unheard) > 0 {
		t.silence.Wait()
	}
	tell(t.took)
}

// weather is a login storm: so many devices, so many of them talking already.
type weather struct {
	devices, talkers int
	seats            uint32
	plan             plan
}

// storm is what came of it.
type storm struct {
	answers
	talk    []time.Duration // of each message during the storm
	before  []time.Duration // and in front of it
	cpu     time.Duration   // of the server's process
	events  int
	bytes   int
	seats   uint32       // the most that were taken at any position of the log
	links   device.Stats // of the server, in all
	elapsed time.Duration
}

// quietTime is for how long talk is measured before the storm.
const quietTime = 3 * time.Second

// run brings the storm about.
func (w weather) run(tb testing.TB) (s storm) {
	h := newHouse(tb, w.devices)
	crowds := bear(tb, h, w.talkers, w.devices)
	talkers := bear(tb, h, 0, w.talkers)[0]
	settings := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}, MaxSessions: domain.Some(w.seats)}
	must(h.ConfigureService(tb.Context(), "im", settings))(tb)
	talkers.say("talk 100ms")
	talkers.await("talking")
	time.Sleep(quietTime)
	talkers.say("hush")
	talkers.hear(&s.before)
	talkers.say("talk 100ms")
	talkers.await("talking")

	from, cpu, began := h.log.Last(), cpuTime(tb), time.Now()
	orders, _ := json.Marshal(w.plan) // which always can be
	for _, c := range crowds {
		c.say("storm " + string(orders))
	}
	for _, c := range crowds {
		var a answers
		c.hear(&a)
		s.join(a)
	}
	s.elapsed, s.cpu = time.Since(began), cpuTime(tb)-cpu
	talkers.say("hush")
	talkers.hear(&s.talk)
	s.events = int(h.log.Last() - from)
	s.bytes, s.seats = h.audit(from)
	s.links = h.links.Stats()
	return s
}

// audit folds the whole log. It gives the bytes of the events behind a position,
// as they are encoded, and the most seats that were taken at any position.
func (h *house) audit(behind domain.Position) (bytes int, most uint32) {
	ledger := domain.NewLedger()
	var records []domain.Record
	before := time.Time{}
	for r, err := range h.log.Read(h.tb.Context(), 1) {
		check(h.tb, err)
		ledger.Apply(r)
		service, _ := ledger.ServiceNamed("im")
		most = max(most, service.Seats)
		if r.Position > behind {
			records = append(records, r)
		} else {
			before = r.Time
		}
	}
	block := must(codec.AppendBlock(nil, behind, before, records))(h.tb)
	return len(block), most
}

// cpuTime is the processor time that this process has taken.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	check(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func percentile(of []time.Duration, p float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(int(float64(len(sorted))*p), len(sorted)-1)]
}

// busiest gives the most of times that lie within one second.
func busiest(times []time.Duration) int {
	seconds, most := make(map[time.Duration]int), 0
	for _, t := range times {
		second := t.Truncate(time.Second)
		seconds[second]++
		most = max(most, seconds[second])
	}
	return most
}

// TestLoginStorm is the small form of [BenchmarkLoginStorm].
func TestLoginStorm(t *testing.T) {
	w := weather{devices: 240, talkers: 10, seats: 50}
	s := w.run(t)
	if s.seats != w.seats {
		t.Errorf("at some position of the log %d seats were taken, want %d", s.seats, w.seats)
	}
	if len(s.First) != 230 || len(s.In) != 40 || len(s.Refusals) != 190 {
		t.Errorf("%d answers, %d let in, %d refused; want 230, 40, 190", len(s.First), len(s.In), len(s.Refusals))
	}
	if want := 30*time.Second + 189*20*time.Millisecond; s.Longest > want || s.Longest < want-5*time.Second {
		t.Errorf("the last one refused is to return in %v, want %v or a little less", s.Longest, want)
	}
	if len(s.talk) == 0 {
		t.Error("nobody who was logged in could say a word")
	}
}

// BenchmarkLoginStorm has 10,000 devices log in at the same moment to a service
// with 1,000 seats, while 100 that are logged in go on talking. With
// after=nothing each asks once. With after=hint everybody returns when told to,
// and leaves 5 s after it was let in, so that in the end all have been in; with
// after=second they return a second after each refusal, whatever they are told.
func BenchmarkLoginStorm(b *testing.B) {
	for _, c := range []struct {
		name string
		plan plan
	}{
		{"after=nothing", plan{}},
		{"after=hint", plan{Obey: true, Stay: 5 * time.Second}},
		{"after=second", plan{Again: time.Second, Stay: 5 * time.Second}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				weather{devices: 10_000, talkers: 100, seats: 1000, plan: c.plan}.run(b).report(b)
			}
		})
	}
}

func (s storm) report(b *testing.B) {
	milliseconds := func(d time.Duration) float64 { return float64(d) / 1e6 }
	b.ReportMetric(slices.Max(s.First).Seconds(), "s-last-answer")
	b.ReportMetric(slices.Max(s.In).Seconds(), "s-last-in")
	b.ReportMetric(float64(len(s.In)), "let-in")
	b.ReportMetric(float64(len(s.Refusals)), "busy")
	b.ReportMetric(float64(busiest(s.Refusals)), "busy-in-busiest-s")
	b.ReportMetric(s.Longest.Seconds(), "s-longest-hint")
	b.ReportMetric(float64(s.Retries), "links-retried")
	b.ReportMetric(float64(s.Strange), "links-no-answer")
	b.ReportMetric(float64(s.links.Crowded), "links-crowded")
	b.ReportMetric(float64(s.links.TimedOut), "links-timed-out")
	b.ReportMetric(float64(s.seats), "seats-most")
	b.ReportMetric(float64(s.events), "events")
	b.ReportMetric(float64(s.bytes), "log-B")
	b.ReportMetric(s.cpu.Seconds(), "server-cpu-s")
	b.ReportMetric(milliseconds(percentile(s.before, 0.99)), "ms-p99-before")
	b.ReportMetric(milliseconds(percentile(s.talk, 0.5)), "ms-p50-talk")
	b.ReportMetric(milliseconds(percentile(s.talk, 0.99)), "ms-p99-talk")
	b.ReportMetric(0, "ns/op")
}
