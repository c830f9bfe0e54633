package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"rollcall/adapters/control"
	"rollcall/adapters/local"
	"rollcall/cmd/rollcall/internal/config"
	"rollcall/domain/broker"
)

// stage is where the demo plays: an appliance in a folder, and devices.
type stage struct {
	folder  string
	place   *place
	options runOptions
	devices map[string]*demoDevice

	op      *control.Client // over the control socket, as operators have it
	stop    context.CancelFunc
	stopped chan error
}

// The demo's timings: short, and apart by more than a busy machine delays.
const (
	demoIdleTimeout = 3 * time.Second
	demoGrace       = 300 * time.Millisecond
)

func newStage(folder string, place *place, logger *slog.Logger, wrap func(broker.Devices) broker.Devices) *stage {
	cfg := config.Default()
	cfg.Data = demoData(folder)
	cfg.Listen = "127.0.0.1:0"
	cfg.Timing.CoverageGrace = config.Duration{Duration: demoGrace}
	return &stage{
		folder:  folder,
		place:   place,
		options: runOptions{Config: cfg, logger: logger, cost: local.CheapCost, wrap: wrap},
		devices: make(map[string]*demoDevice),
	}
}

// start starts the appliance and waits until it lets devices in. Started again,
// it listens where it did before.
func (s *stage) start(ctx context.Context) (err error) {
	ready := make(chan *appliance, 1)
	options := s.options
	options.ready = func(a *appliance) { ready <- a }
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.stopped = stop, make(chan error, 1)
	go func() { s.stopped <- run(running, options) }()
	select {
	case a := <-ready:
		s.options.Listen = a.listening
	case err := <-s.stopped:
		s.stop = nil
		return errors.Join(errors.New("the appliance did not start"), err)
	}
	s.op, err = control.Dial(ctx, s.options.Data, errorKinds...)
	return err
}

// halt stops the appliance as a SIGTERM does.
func (s *stage) halt() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	s.stop = nil
	return <-s.stopped
}

func (s *stage) close() error {
	for _, d := range s.devices {
		d.leave()
	}
	return s.halt()
}

// demoData is the appliance's data folder, within the demo's.
func demoData(folder string) string { return filepath.Join(folder, "data") }

// sleep waits as long as the story needs.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// demoPatience is how long the demo waits for what should come at once.
const demoPatience = 15 * time.Second

// eventually asks until the answer is nil, or patience is at an end.
func eventually(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if sleep(ctx, 20*time.Millisecond) != nil {
			return fmt.Errorf("after %v: %w", demoPatience, err)
		}
	}
}
