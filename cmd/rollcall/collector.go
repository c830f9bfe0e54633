package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/adapters/router"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// collector collects what an appliance counts.
type collector struct {
	appliance *appliance
	links     *device.Server
	door      *door
}

// metric is one name under which numbers are told.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// allMetrics are the metrics there are; docs/operating.md tells what each means.
var allMetrics []*prometheus.Desc

func newMetric(kind prometheus.ValueType, name, help string, labels ...string) metric {
	m := metric{prometheus.NewDesc("rollcall_"+name, help, labels, nil), kind}
	allMetrics = append(allMetrics, m.desc)
	return m
}

func gauge(name, help string, labels ...string) metric {
	return newMetric(prometheus.GaugeValue, name, help, labels...)
}

func counter(name, help string, labels ...string) metric {
	return newMetric(prometheus.CounterValue, name, help, labels...)
}

var (
	seatsMetric    = gauge("seats", "Seats taken.", "service", "state")
	limitMetric    = gauge("seats_limit", "The limit of seats that holds.", "service")
	queueMetric    = gauge("busy_queue_seconds", "How far the queue of devices that found the service full reaches into the future.", "service")
	positionMetric = gauge("log_position", "Position of the last event.")
	healthyMetric  = gauge("healthy", "1 if the appliance is well.")

	connectionsMetric = gauge("connections", "Connections at the door.", "state")
	knownMetric       = gauge("connections_addresses", "Addresses that the door remembers.")
	handedMetric      = counter("connections_handed_on_total", "Connections that the door let in.")
	refusedMetric     = counter("connections_refused_total", "Connections closed at the door, by reason.", "reason")

	openMetric       = gauge("links_open", "Device links that are open.")
	handshakesMetric = gauge("handshakes", "Handshakes with devices that are under way.")
	linksMetric      = counter("links_total", "Device links by how they opened, or why they were refused.", "kind")
	crowdMetric      = counter("links_crowded_total", "What became of handshakes when there were too many.", "how")
	tooLongMetric    = counter("items_too_long_total", "Items too long for the device link, replaced by a note.")

	loginsMetric    = counter("logins_total", "Logins by what became of them.", "outcome")
	resumedMetric   = counter("sessions_resumed_total", "Sessions taken up again after their loss was on record.")
	endedMetric     = counter("sessions_ended_total", "Sessions that ended, by cause.", "cause")
	throttledMetric = counter("openings_throttled_total", "Logins and resumes of devices that come too often.", "how")
	upstreamMetric  = gauge("upstream_logins", "Logins to upstream servers.", "state")
	olderMetric     = counter("older_links_refused_total", "Messages of links in whose place a newer one speaks.")
	reloginsMetric  = counter("upstream_relogins_total", "Logins to upstream servers for devices that came back.")

	fullMetric    = gauge("log_full", "1 while the log has no room for newcomers.")
	filledMetric  = counter("log_filled_total", "How often the log ran out of room.")
	batchesMetric = newMetric(0, "log_batch_records", "Records in each commit.")
	commitsMetric = newMetric(0, "log_commit_seconds", "How long each commit took.")

	wakingMetric     = gauge("upstream_relogins_waiting", "Sessions that wait for their turn to log in upstream again.")
	turnedAwayMetric = counter("resumes_put_off_total", "Devices that came back in a crowd and were told to return later.")
	keptMetric       = counter("inbox_letters_total", "Messages that were put into the inbox.")
	duplicatesMetric = counter("inbox_duplicates_total", "Messages that came from upstream once more and were there already.")
	cutMetric        = counter("rosters_cut_total", "Rosters too big to be kept whole.")
	withheldMetric   = counter("news_withheld_total", "News of contacts that was not sent to devices nobody used.")
	mailboxesMetric  = gauge("inbox_mailboxes", "Mailboxes, also those where nothing waits.")
	lettersMetric    = gauge("inbox_letters", "Letters that wait for devices.")
	inboxMetric      = gauge("inbox_bytes", "Size of what waits for devices.")
	droppedMetric    = counter("inbox_dropped_total", "Letters that gave way to later ones.")
)

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range allMetrics {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	t := teller(to)
	c.collectServices(t)
	t.flag(healthyMetric, c.appliance.problem() == nil)
	tell(t, positionMetric, c.appliance.log.Last())
	t.links(c.links.Stats())
	t.broker(c.appliance.broker.Stats())
	c.door.tell(t)
}

// collectServices tells how each service stands.
func (c *collector) collectServices(t teller) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := c.appliance.Count(ctx)
	if err != nil {
		t <- prometheus.NewInvalidMetric(seatsMetric.desc, err)
		return
	}
	t.seats(counts)
	queues, err := c.appliance.broker.Queues(ctx)
	if err != nil {
		t <- prometheus.NewInvalidMetric(queueMetric.desc, err)
		return
	}
	t.queues(queues)
}

// teller is told numbers.
type teller chan<- prometheus.Metric

func tell[N ~int | ~int64 | ~uint32 | ~uint64 | ~float64](t teller, m metric, n N, labels ...string) {
	t <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(n), labels...)
}

func (t teller) flag(m metric, is bool) {
	n := 0
	if is {
		n = 1
	}
	tell(t, m, n)
}

func (t teller) histogram(m metric, h broker.Histogram) {
	buckets := make(map[float64]uint64, len(h.Bounds))
	for i, bound := range h.Bounds {
		buckets[bound] = h.Counts[i]
	}
	t <- prometheus.MustNewConstHistogram(m.desc, h.Count, h.Sum, buckets)
}

func (t teller) seats(counts []control.Count) {
	for _, s := range counts {
		for state, n := range map[string]uint32{"pending": s.Pending, "covered": s.Covered, "out-of-coverage": s.OutOfCoverage} {
			tell(t, seatsMetric, n, string(s.Service), state)
		}
		if s.Limit != nil {
			tell(t, limitMetric, *s.Limit, string(s.Service))
		}
	}
}

func (t teller) queues(by map[domain.ServiceName]time.Duration) {
	for service, queue := range by {
		tell(t, queueMetric, queue.Seconds(), string(service))
	}
}

func (t teller) links(s device.Stats) {
	tell(t, openMetric, s.Open)
	tell(t, handshakesMetric, s.Shaking)
	tell(t, crowdMetric, s.SentAway, "sent-away")
	tell(t, crowdMetric, s.MadeRoom, "made-room")
	tell(t, tooLongMetric, s.ItemsDropped)
	for kind, n := range map[string]uint64{
		"any": s.Connections, "login": s.Logins, "resume": s.Resumes, "enrolment": s.Enrolments, "enrolment-refused": s.EnrolRefused, "crowded": s.Crowded,
		"garbage": s.Garbage, "timed-out": s.TimedOut, "left": s.Left, "unknown-key": s.UnknownKey,
		"revoked": s.Revoked, "misbehaved": s.Misbehaved,
	} {
		tell(t, linksMetric, n, kind)
	}
}

func (t teller) broker(s broker.Stats) {
	tell(t, loginsMetric, s.Accepted, "accepted")
	for code := domain.RejectUnknownService; code <= domain.RejectInterrupted; code++ {
		tell(t, loginsMetric, s.Rejected[code], code.String())
	}
	tell(t, resumedMetric, s.Resumed)
	tell(t, endedMetric, s.IdledOut, "idled-out")
	for cause := domain.EndLogout; cause <= domain.EndResumeFailed; cause++ {
		tell(t, endedMetric, s.Ended[cause], cause.String())
	}
	tell(t, throttledMetric, s.HeldBack, "held-back")
	tell(t, throttledMetric, s.SentAway, "sent-away")
	tell(t, upstreamMetric, s.Connecting, "under-way")
	tell(t, upstreamMetric, s.Waiting, "waiting")
	tell(t, olderMetric, s.OlderLinks)
	tell(t, reloginsMetric, s.Relogins)
	tell(t, wakingMetric, s.Waking)
	tell(t, turnedAwayMetric, s.TurnedAway)
	tell(t, keptMetric, s.Letters)
	tell(t, duplicatesMetric, s.Duplicates)
	tell(t, withheldMetric, s.Withheld)
	tell(t, cutMetric, s.RostersCut)
	t.flag(fullMetric, s.LogFull)
	tell(t, filledMetric, s.LogFilled)
	t.histogram(batchesMetric, s.Batches)
	t.histogram(commitsMetric, s.Commits)
	if s.Inbox != nil {
		tell(t, mailboxesMetric, s.Inbox.Mailboxes)
		tell(t, lettersMetric, s.Inbox.Letters)
		tell(t, inboxMetric, s.Inbox.Bytes)
		tell(t, droppedMetric, s.Inbox.Dropped)
	}
}

func (t teller) router(s router.Stats) {
	tell(t, connectionsMetric, s.Live, "open")
	tell(t, connectionsMetric, s.Silent, "silent")
	tell(t, knownMetric, s.Known)
	tell(t, handedMetric, s.HandedOn)
	t.refused(s.Refused)
}

// refused tells why connections were closed: the reason in front of the advice
// that the log has behind it.
func (t teller) refused(by map[string]uint64) {
	short := make(map[string]uint64, len(by))
	for reason, n := range by {
		reason, _, _ = strings.Cut(reason, ";")
		short[reason] += n
	}
	for _, reason := range slices.Sorted(maps.Keys(short)) {
		tell(t, refusedMetric, short[reason], reason)
	}
}
