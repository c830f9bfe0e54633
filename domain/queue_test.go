package domain_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/domain"
)

// What the documentation says of Server Busy.
const (
	firstReturn = 30 * time.Second
	gap         = 20 * time.Millisecond
	longestAway = 10 * time.Minute
)

// throng is a house and so many devices, all of one person.
type throng struct {
	*world
	devices []domain.DeviceID
}

func newThrong(n int, s domain.Settings) *throng {
	c := &throng{world: given(&domain.ServiceConfigured{Service: im, Name: "im", Settings: s}, &domain.PersonPermitted{Person: 2, Service: im})}
	for range n {
		offer := c.record(&domain.EnrolmentOffered{Person: 2, ValidFor: time.Hour})[0].Position
		id := c.record(&domain.DeviceEnrolled{Person: 2, Offer: domain.OfferID(offer)})[0].Position
		c.devices = append(c.devices, domain.DeviceID(id))
	}
	return c
}

// login has a device ask, now. It gives the session, or when to return.
func (c *throng) login(t failer, device domain.DeviceID) (domain.SessionID, time.Duration) {
	t.Helper()
	events, err := c.when(domain.RequestLogin{Device: device, Service: im, Account: 2})
	if err != nil {
		t.Fatalf("RequestLogin = %v", err)
	}
	session := domain.SessionID(c.record(events...)[0].Position)
	rejected, ok := events[len(events)-1].(*domain.LoginRejected)
	if !ok {
		c.record(&domain.LoginAccepted{Session: session})
		return session, 0
	}
	if rejected.Code != domain.RejectServerBusy {
		t.Fatalf("refused as %v, want Server Busy", rejected.Code)
	}
	return 0, rejected.RetryAfter.Or(0)
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// TestBusyHintsGrowWithTheCrowd has so many devices find a full house in one
// instant.
func TestBusyHintsGrowWithTheCrowd(t *testing.T) {
	const places = int((longestAway - firstReturn) / gap)
	for _, c := range []struct {
		refused int
		last    time.Duration // what the last one is told
		second  int           // how many return within one second, at most
	}{
		{1, firstReturn, 1},
		{2, firstReturn + gap, 2},
		{1000, firstReturn + 999*gap, 50},
		{9000, firstReturn + 8999*gap, 50},
		{places + 1, longestAway, 50},
		{places + 2, longestAway / 2, 51},
		{places + 15001, longestAway/2 + 14999*gap, 100},
		{60_000, longestAway/2 + 1496*gap, 200},
	} {
		crowd := newThrong(c.refused+1, room(1))
		crowd.login(t, crowd.devices[0])
		seconds, last := make(map[time.Duration]int), time.Duration(0)
		for _, device := range crowd.devices[1:] {
			_, last = crowd.login(t, device)
			seconds[last.Truncate(time.Second)]++
			if last < firstReturn || last > longestAway {
				t.Fatalf("one of %d is told to return in %v, want %v to %v", c.refused, last, firstReturn, longestAway)
			}
		}
		if last != c.last {
			t.Errorf("the last of %d is told to return in %v, want %v", c.refused, last, c.last)
		}
		if most := slices.Max(slices.Collect(maps.Values(seconds))); most > c.second {
			t.Errorf("of %d, %d return in one second, want %d at most", c.refused, most, c.second)
		}
	}
}

// TestBusyQueueFallsBack shows what shortens the queue.
func TestBusyQueueFallsBack(t *testing.T) {
	filled := func() (*throng, domain.SessionID) {
		c := newThrong(103, room(1))
		seated, _ := c.login(t, c.devices[0])
		for _, device := range c.devices[2:102] {
			c.login(t, device)
		}
		return c, seated
	}
	for name, c := range map[string]struct {
		then func(*throng, domain.SessionID)
		want time.Duration
	}{
		"at once":           {func(*throng, domain.SessionID) {}, firstReturn + 100*gap},
		"a second later":    {func(c *throng, _ domain.SessionID) { c.now = c.now.Add(time.Second) }, firstReturn + 50*gap},
		"two seconds later": {func(c *throng, _ domain.SessionID) { c.now = c.now.Add(2 * time.Second) }, firstReturn},
		"an hour later":     {func(c *throng, _ domain.SessionID) { c.now = c.now.Add(time.Hour) }, firstReturn},
		"a seat freed and taken": {func(c *throng, seated domain.SessionID) {
			c.record(&domain.SessionEnded{Session: seated, Cause: domain.EndLogout})
			c.login(t, c.devices[1])
		}, firstReturn + 99*gap},
		"a seat handed on": {func(c *throng, _ domain.SessionID) { c.login(t, c.devices[0]) }, firstReturn + 100*gap},
		"a login that fails upstream": {func(c *throng, seated domain.SessionID) {
			c.record(&domain.SessionEnded{Session: seated, Cause: domain.EndLogout})
			asked := c.record(&domain.LoginRequested{Device: c.devices[1], Service: im, Account: 2})[0].Position
			c.record(&domain.LoginAdmitted{Session: domain.SessionID(asked), Seats: 1}, &domain.LoginRejected{Session: domain.SessionID(asked), Code: domain.RejectUpstreamRefused})
			c.login(t, c.devices[1])
		}, firstReturn + 98*gap},
	} {
		t.Run(name, func(t *testing.T) {
			crowd, seated := filled()
			c.then(crowd, seated)
			if _, got := crowd.login(t, crowd.devices[102]); got != c.want {
				t.Errorf("the next is told to return in %v, want %v", got, c.want)
			}
		})
	}
}

// TestBusyHintOfAnotherService shows that each service has its queue.
func TestBusyHintOfAnotherService(t *testing.T) {
	c := newThrong(12, room(1))
	other := domain.ServiceID(c.record(&domain.ServiceConfigured{Service: domain.ServiceID(c.ledger.Position() + 1), Name: "other", Settings: room(1)})[0].Position)
	account := c.record(&domain.PersonPermitted{Person: 2, Service: other})[0].Position
	for _, device := range c.devices[:10] {
		c.login(t, device)
	}
	for i, want := range []domain.Optional[time.Duration]{{}, some(firstReturn)} {
		events, err := c.when(domain.RequestLogin{Device: c.devices[10+i], Service: other, Account: domain.AccountID(account)})
		if err != nil {
			t.Fatal(err)
		}
		c.record(events...)
		if rejected, _ := events[len(events)-1].(*domain.LoginRejected); rejected != nil && rejected.RetryAfter != want {
			t.Errorf("hint of the other service = %v, want %v", rejected.RetryAfter, want)
		}
	}
}

// TestObedientCrowd lets a crowd that obeys its hints meet a house whose sessions
// come and go: nobody is told to stay away for longer than the longest, and when
// there is room for all, all are in within that time.
func TestObedientCrowd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people, seats := rapid.IntRange(2, 400).Draw(t, "devices"), uint32(rapid.IntRange(1, 50).Draw(t, "seats"))
		timeout := rapid.SampledFrom([]time.Duration{2 * time.Second, time.Minute, time.Hour}).Draw(t, "timeout")
		settings := rapid.SampledFrom([]domain.Settings{room(seats), roomIdle(seats, timeout, domain.EvictAll), roomIdle(seats, timeout, domain.EvictFewest)}).Draw(t, "settings")
		lasts := time.Duration(rapid.IntRange(1, 600).Draw(t, "lasts")) * time.Second
		c := newThrong(people, settings)
		var due visits
		for i, device := range c.devices {
			due.add(visit{device: device, at: start.Add(time.Duration(i) * time.Millisecond)})
		}
		opens := start.Add(time.Duration(rapid.IntRange(1, 1800).Draw(t, "opens")) * time.Second)
		outside := people
		for open := false; len(due) > 0 && outside > 0; {
			v := due.next()
			if v.at.After(opens) && !open {
				open, c.now = true, opens
				c.record(&domain.ServiceConfigured{Service: im, Name: "im", Settings: domain.Settings{Kind: domain.KindLocal}})
			}
			c.now = v.at
			if v.session != 0 {
				if _, live := c.ledger.Seat(v.session); live {
					c.record(&domain.SessionEnded{Session: v.session, Cause: domain.EndLogout})
				}
				continue
			}
			session, away := c.login(t, v.device)
			if session != 0 {
				outside--
				due.add(visit{session: session, at: c.now.Add(lasts)})
				continue
			}
			if away < time.Second || away > longestAway {
				t.Fatalf("a device is told to return in %v", away)
			}
			if open {
				t.Fatalf("a device finds the house full at %v, though it opened at %v", c.now, opens)
			}
			due.add(visit{device: v.device, at: c.now.Add(away)})
		}
		if c.now.After(opens.Add(longestAway)) {
			t.Fatalf("the last device got in at %v, and the house had room for all at %v", c.now, opens)
		}
		if folded := c.folded().State().Services[0]; !folded.Queue.Equal(c.ledger.State().Services[0].Queue) {
			t.Fatalf("the log gives another queue")
		}
		checkDecisions(t, c.log)
	})
}

// checkDecisions derives every decision of a login again.
func checkDecisions(t *rapid.T, log []domain.Record) {
	replay := domain.NewReplay()
	for _, r := range log {
		if err := replay.Next(r); err != nil && r.Event.Type() == domain.TypeLoginRejected {
			t.Fatalf("Replay: %v", err)
		}
	}
}

// visit is a device that comes, or a session that ends.
type visit struct {
	device  domain.DeviceID
	session domain.SessionID
	at      time.Time
}

// visits are sorted, the next one last.
type visits []visit

func (v *visits) add(next visit) {
	i, _ := slices.BinarySearchFunc(*v, next, func(a, b visit) int { return cmp.Compare(b.at.UnixNano(), a.at.UnixNano()) })
	*v = slices.Insert(*v, i, next)
}

func (v *visits) next() visit {
	last := (*v)[len(*v)-1]
	*v = (*v)[:len(*v)-1]
	return last
}

// TestRefusalsWithoutAQueue derives decisions of a log whose rules knew no queue,
// and of one in which hints were changed.
func TestRefusalsWithoutAQueue(t *testing.T) {
	refusal := func(retry, queue domain.Optional[time.Duration]) *domain.LoginRejected {
		return &domain.LoginRejected{Session: 17, Code: domain.RejectServerBusy, Seats: 2, Limit: limited(2), LongestIdle: idled(0), RetryAfter: retry, Queue: queue}
	}
	for name, c := range map[string]struct {
		recorded *domain.LoginRejected
		fine     bool
	}{
		"earlier rule":                {refusal(some(30*time.Second), unset[time.Duration]()), true},
		"earlier rule, another hint":  {refusal(some(31*time.Second), unset[time.Duration]()), false},
		"with a queue":                {refusal(some(30*time.Second), idled(0)), true},
		"with a queue that is not so": {refusal(some(40*time.Second), idled(40*time.Second)), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := given(cast(room(2), unset[uint32]()), twoLive)
			folded := w.folded()
			if err := domain.Redecide(folded, w.record(carolAsked, c.recorded)); (err == nil) != c.fine {
				t.Errorf("Redecide = %v, want fine: %v", err, c.fine)
			}
		})
	}
}
