package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall/adapters/device"
	"rollcall/cmd/rollcall/internal/config"
)

// metrics serves /metrics and /healthz, or nothing where no address is set.
type metrics struct {
	listener net.Listener
	server   *http.Server
}

func openMetrics(cfg config.Metrics, a *appliance, links *device.Server, d *door) (*metrics, error) {
	if cfg.Listen == "" {
		return &metrics{}, nil
	}
	ln, err := listen(cfg.Listen, "--metrics")
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&gauges{appliance: a, links: links, door: d})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := a.problem(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // nobody is there to tell
	})
	return &metrics{listener: ln, server: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}}, nil
}

// address gives where it is served; empty if nowhere.
func (m *metrics) address() string {
	if m.listener == nil {
		return ""
	}
	return m.listener.Addr().String()
}

func (m *metrics) serve(ctx context.Context) error {
	if m.server == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { m.server.Close() })()
	if err := m.server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (m *metrics) close() {
	if m.listener != nil {
		_ = m.listener.Close() // closed already where serve ran
	}
}

// gauges collects what an appliance counts.
type gauges struct {
	appliance *appliance
	links     *device.Server
	door      *door
}

var (
	seatsMetric    = prometheus.NewDesc("rollcall_seats", "Seats taken.", []string{"service", "state"}, nil)
	limitMetric    = prometheus.NewDesc("rollcall_seats_limit", "The limit of seats that holds.", []string{"service"}, nil)
	positionMetric = prometheus.NewDesc("rollcall_log_position", "Position of the last event.", nil, nil)
	healthyMetric  = prometheus.NewDesc("rollcall_healthy", "1 if the appliance is well.", nil, nil)
	openMetric     = prometheus.NewDesc("rollcall_links_open", "Device links that are open.", nil, nil)
	linksMetric    = prometheus.NewDesc("rollcall_links_total", "Device links by how they opened, or why they were refused.", []string{"kind"}, nil)
	refusedMetric  = prometheus.NewDesc("rollcall_connections_refused_total", "Connections closed at the door, by reason.", []string{"reason"}, nil)
)

// Describe implements [prometheus.Collector].
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{seatsMetric, limitMetric, positionMetric, healthyMetric, openMetric, linksMetric, refusedMetric} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	g.collectSeats(to)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	healthy := 1.0
	if g.appliance.problem() != nil {
		healthy = 0
	}
	gauge(healthyMetric, healthy)
	gauge(positionMetric, float64(g.appliance.log.Last()))
	links := g.links.Stats()
	gauge(openMetric, float64(links.Open))
	for kind, n := range map[string]uint64{
		"login": links.Logins, "resume": links.Resumes, "enrolment": links.Enrolments, "crowded": links.Crowded,
		"garbage": links.Garbage, "timed-out": links.TimedOut, "left": links.Left, "unknown-key": links.UnknownKey,
		"revoked": links.Revoked, "misbehaved": links.Misbehaved,
	} {
		to <- prometheus.MustNewConstMetric(linksMetric, prometheus.CounterValue, float64(n), kind)
	}
	for reason, n := range g.door.refused() {
		to <- prometheus.MustNewConstMetric(refusedMetric, prometheus.CounterValue, float64(n), reason)
	}
}

func (g *gauges) collectSeats(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := g.appliance.Count(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(seatsMetric, err)
		return
	}
	for _, c := range counts {
		for state, n := range map[string]uint32{"pending": c.Pending, "covered": c.Covered, "out-of-coverage": c.OutOfCoverage} {
			to <- prometheus.MustNewConstMetric(seatsMetric, prometheus.GaugeValue, float64(n), string(c.Service), state)
		}
		if c.Limit != nil {
			to <- prometheus.MustNewConstMetric(limitMetric, prometheus.GaugeValue, float64(*c.Limit), string(c.Service))
		}
	}
}
