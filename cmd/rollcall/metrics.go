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
		&collector{appliance: a, links: links, door: d})
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
