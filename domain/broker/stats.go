package broker

import (
	"math"
	"sync/atomic"
	"time"

	"rollcall/domain"
)

// Stats counts what a broker has done since it was opened, and how it stands.
type Stats struct {
	// Of durable events: logins accepted and refused, sessions that devices
	// took up again after their loss was on record, sessions that made room for
	// others, and sessions that ended otherwise.
	Accepted uint64
	Rejected map[domain.RejectCode]uint64
	Resumed  uint64
	IdledOut uint64
	Ended    map[domain.EndCause]uint64

	// HeldBack and SentAway are logins and resumes of devices that come too
	// often: kept waiting, and told to return later.
	HeldBack, SentAway uint64

	// Connecting is how many upstream logins are under way, and Waiting how many
	// wait for a place among them. Relogins is how many there were for devices
	// that came back to a session without a conversation.
	Connecting, Waiting int
	Relogins            uint64

	// Waking is how many sessions wait for their turn to log in upstream again,
	// and TurnedAway how many devices were told to come back later for it.
	Waking     int
	TurnedAway uint64

	// RostersCut is how many rosters were too big to be kept whole, and OlderLinks
	// how many messages of links were refused in whose place a newer one speaks.
	RostersCut, OlderLinks uint64

	// Letters is how many messages were put into the inbox, and Duplicates how
	// many came that were there already. Withheld is how much news of contacts
	// was not sent to devices that nobody used.
	Letters, Duplicates, Withheld uint64

	// Batches is how many records each commit had, and Commits how long it
	// took, in seconds.
	Batches, Commits Histogram
	// LogFull tells that the log has no room for newcomers, and LogFilled how
	// often that began.
	LogFull   bool
	LogFilled uint64

	// Inbox is how the inbox stands; nil where there is none that tells.
	Inbox *InboxStats
}

// InboxStats is what waits on disk for devices.
type InboxStats struct {
	Mailboxes int    // that there are, also those where nothing waits
	Letters   int    // and notes, in all of them
	Bytes     int    // their size
	Dropped   uint64 // letters that gave way to later ones since the start
}

// InboxMeter is what an [Inbox] may have besides: it tells how it stands, without
// waiting for the disk.
type InboxMeter interface{ InboxStats() InboxStats }

// Stats gives the counts so far. It waits for nobody.
func (b *Broker) Stats() Stats {
	c := b.counters
	s := Stats{
		Accepted: c.accepted.Load(), Resumed: c.resumed.Load(), IdledOut: c.idledOut.Load(),
		Rejected: make(map[domain.RejectCode]uint64), Ended: make(map[domain.EndCause]uint64),
		HeldBack: c.heldBack.Load(), SentAway: c.sentAway.Load(),
		Connecting: int(c.connecting.Load()), Waiting: int(c.waiting.Load()), Relogins: c.relogins.Load(),
		Waking: int(c.waking.Load()), TurnedAway: c.turnedAway.Load(),
		RostersCut: c.rostersCut.Load(), OlderLinks: c.olderLinks.Load(),
		Letters: c.letters.Load(), Duplicates: c.duplicates.Load(), Withheld: c.withheld.Load(),
		Batches: c.batches.read(), Commits: c.commits.read(),
		LogFull: b.seq.tight.Load(), LogFilled: c.filled.Load(),
	}
	for code := range c.rejected {
		if n := c.rejected[code].Load(); n > 0 {
			s.Rejected[domain.RejectCode(code)] = n
		}
	}
	for cause := range c.ended {
		if n := c.ended[cause].Load(); n > 0 {
			s.Ended[domain.EndCause(cause)] = n
		}
	}
	if b.meter != nil {
		inbox := b.meter.InboxStats()
		s.Inbox = &inbox
	}
	return s
}

// counters are the live form of [Stats].
type counters struct {
	accepted, resumed, idledOut atomic.Uint64
	rejected, ended             [math.MaxUint8 + 1]atomic.Uint64 // by code and cause
	heldBack, sentAway          atomic.Uint64
	connecting, waiting         atomic.Int64
	relogins, filled            atomic.Uint64
	waking                      atomic.Int64
	turnedAway, letters         atomic.Uint64
	duplicates, withheld        atomic.Uint64
	rostersCut, olderLinks      atomic.Uint64
	batches, commits            histogram
}

func newCounters() *counters {
	return &counters{
		batches: newHistogram(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096),
		commits: newHistogram(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
	}
}

// note counts the events of a batch that is durable.
func (c *counters) note(records []domain.Record) {
	for _, r := range records {
		switch e := r.Event.(type) {
		case *domain.LoginAccepted:
			c.accepted.Add(1)
		case *domain.LoginRejected:
			c.rejected[e.Code].Add(1)
		case *domain.SessionResumed:
			c.resumed.Add(1)
		case *domain.SessionIdledOut:
			c.idledOut.Add(1)
		case *domain.SessionEnded:
			c.ended[e.Cause].Add(1)
		}
	}
}

// committed counts a batch that was written in that time.
func (c *counters) committed(records int, took time.Duration) {
	if records > 0 {
		c.batches.add(float64(records))
	}
	c.commits.add(took.Seconds())
}

// Histogram counts values by their size.
type Histogram struct {
	// Bounds are the upper ends of the buckets, and Counts how many values lie at
	// or below each.
	Bounds []float64
	Counts []uint64
	Count  uint64 // of all values
	Sum    float64
}

// histogram is the live form of [Histogram].
type histogram struct {
	bounds []float64
	counts []atomic.Uint64 // one more than bounds
	sum    atomic.Uint64   // the bits of a float64; one goroutine adds
}

func newHistogram(bounds ...float64) histogram {
	return histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// add counts a value. One goroutine at a time may call it.
func (h *histogram) add(v float64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Store(math.Float64bits(math.Float64frombits(h.sum.Load()) + v))
}

func (h *histogram) read() Histogram {
	r := Histogram{Bounds: h.bounds, Counts: make([]uint64, len(h.bounds)), Sum: math.Float64frombits(h.sum.Load())}
	for i := range h.counts {
		r.Count += h.counts[i].Load()
		if i < len(r.Counts) {
			r.Counts[i] = r.Count
		}
	}
	return r
}
