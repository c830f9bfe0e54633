package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"rollcall/adapters/device"
	"rollcall/adapters/inbox"
	"rollcall/adapters/local"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog/snapshot"
)

// stopTimeout bounds how long sessions may take to let go when the broker stops.
const stopTimeout = 20 * time.Second

// core is what an appliance is made of, whether it lets anybody in or not.
type core struct {
	store    *store
	inbox    *inbox.Inbox
	key      device.Key
	accounts *local.Connector
	broker   *broker.Broker
}

// openCore opens a data folder, and makes it where there is none. ports, if set, may
// put something between the broker and what it works with.
func openCore(ctx context.Context, data string, cost local.Cost, timing broker.Timing, logger *slog.Logger, ports func(*broker.Config)) (_ *core, err error) {
	if err := makeFolder(data); err != nil {
		return nil, err
	}
	store, err := openStore(data, logger)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, store.Close())
		}
	}()
	warnOfLoss(data, store.log.Last(), logger)
	key, err := device.LoadOrCreateKey(filepath.Join(data, serverKeyFile))
	if err != nil {
		return nil, err
	}
	accounts, err := local.OpenStore(filepath.Join(data, accountsFile), cost)
	if err != nil {
		return nil, err
	}
	waiting, err := inbox.Open(filepath.Join(data, inbox.FileName), store.log.ID(), inbox.Options{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, waiting.Close())
		}
	}()
	builtIn := local.New(accounts, logger)
	parts := broker.Config{
		Log: store.log, Connectors: connectors(builtIn, logger), Logger: logger, Version: version, Timing: timing,
		Snapshots: snapshot.New(data, store.log, buildID()), Inbox: waiting, Sealer: device.Sealer{Logger: logger},
	}
	if ports != nil {
		ports(&parts)
	}
	b, err := broker.Open(ctx, parts)
	if err != nil {
		return nil, err
	}
	return &core{store, waiting, key, builtIn, b}, nil
}

// stop ends every session's links, and returns when all that was decided is
// durable. Calling it again gives the same.
func (c *core) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return c.broker.Stop(ctx)
}

func (c *core) Close() error { return errors.Join(c.stop(), c.inbox.Close(), c.store.Close()) }
