package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/adapters/local"
	"rollcall/cmd/rollcall/internal/config"
	"rollcall/domain/broker"
)

// runOptions are what run needs.
type runOptions struct {
	config.Config
	logger *slog.Logger
	// cost is what hashing a new password of the built-in service takes.
	cost local.Cost
	// ready, if set, is told when devices are let in.
	ready func(*appliance)
	// wrap, if set, may put something between the links and the broker. It is
	// for tests that break something on purpose.
	wrap func(broker.Devices) broker.Devices
	// ports, if set, may put something between the broker and what it works with.
	// It is for tests, too.
	ports func(*broker.Config)
}

// run is the appliance: it opens the data folder, wires every part to the next,
// lets devices in, and drains when ctx ends, which is no error.
func run(ctx context.Context, o runOptions) (err error) {
	c, err := openInTurn(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	devices := broker.Devices(c.broker)
	if o.wrap != nil {
		devices = o.wrap(devices)
	}
	links := device.NewServer(device.Config{Devices: devices, Key: c.key, Logger: o.logger})
	door, err := openDoor(o.Config, links.Serve, o.logger)
	if err != nil {
		return err
	}
	defer door.close()
	a := &appliance{
		store: c.store, data: o.Data, started: time.Now().UTC(), broker: c.broker, key: c.key,
		address: publicAddress(o.Config, door), listening: door.listening,
	}
	socket, err := control.Listen(o.Data, errorKinds...)
	if err != nil {
		return err
	}
	defer socket.Close()
	watch, err := openMetrics(o.Metrics, a, links, door)
	if err != nil {
		return err
	}
	defer watch.close()
	if err := c.broker.Start(ctx); err != nil {
		return err
	}

	parts, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, parts := errgroup.WithContext(parts)
	group.Go(func() error { return door.serve(parts) })
	group.Go(func() error { return socket.Serve(parts, a) })
	group.Go(func() error { return c.store.keepViews(parts) })
	group.Go(func() error { return watch.serve(parts) })
	group.Go(func() error { return c.failure(parts) })
	announce(o, a, door, watch)

	select {
	case <-ctx.Done():
		o.logger.Info("stopping; a second signal stops at once")
	case <-parts.Done(): // letting go of the sessions may take a while
		o.logger.Error("stopping: a part of rollcall has failed", "reason", reason(context.Cause(parts)))
	}
	err = c.stop() // in front of the parts: devices hear that they shall come back
	stop()
	return failed(errors.Join(err, group.Wait()))
}

func announce(o runOptions, a *appliance, d *door, m *metrics) {
	words := []any{"version", version, "data", a.data, "log", a.log.ID().String(), "position", a.log.Last()}
	for _, port := range []struct{ name, address string }{{"listen", a.listening}, {"metrics", m.address()}} {
		if port.address != "" {
			words = append(words, port.name, port.address)
		}
	}
	o.logger.Info("rollcall is ready", words...)
	d.announce(o.logger)
	if o.ready != nil {
		o.ready(a)
	}
}

// failure ends the appliance where its log or its inbox cannot be written any
// more: what is in memory may be ahead of the disk, and only a restart reads the
// truth.
func (c *core) failure(ctx context.Context) error {
	select {
	case <-c.broker.Failed():
		return c.broker.Err()
	case <-c.inbox.Failed():
		return c.inbox.Err()
	case <-ctx.Done():
		return nil
	}
}

func timing(t config.Timing) broker.Timing {
	return broker.Timing{
		StatusInterval: t.StatusInterval.Duration,
		Grace:          t.CoverageGrace.Duration,
		LoginTimeout:   t.UpstreamTimeout.Duration,
	}
}
