package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/domain"
)

// Rate bounds how often something may happen: Burst times at once, then once in
// each Every. A zero field takes its default; a negative Every is no bound.
type Rate struct {
	Every time.Duration
	Burst int
}

// patience is how long a device that comes too often is kept waiting; one that
// would have to wait longer is sent away.
const patience = 3 * time.Second

// tooOften is what a device is told that is sent away.
const tooOften = "this device logs in or resumes too often"

// turnstile holds each device to the rate. Whoever is let through leaves events
// in the log; so without it a single device could fill the disk.
type turnstile struct {
	rate   Rate
	clock  Clock
	logger *slog.Logger
	counts *counters

	mu      sync.Mutex
	devices map[domain.DeviceID]passage
}

// passage is what a turnstile knows of one device.
type passage struct {
	// paid is the time up to which the device has used up its rate.
	paid   time.Time
	warned bool
}

func newTurnstile(rate Rate, clock Clock, logger *slog.Logger, counts *counters) *turnstile {
	if rate.Every == 0 {
		rate.Every = time.Second
	}
	if rate.Burst == 0 {
		rate.Burst = 20
	}
	return &turnstile{rate: rate, clock: clock, logger: logger, counts: counts, devices: make(map[domain.DeviceID]passage)}
}

// pass waits until the device may go on. It gives how long the device shall stay
// away instead where that is longer than it may wait here, and an error where
// ctx ends first.
func (t *turnstile) pass(ctx context.Context, id domain.DeviceID) (away time.Duration, err error) {
	if t.rate.Every < 0 {
		return 0, nil
	}
	wait, away := t.reserve(id)
	if away > 0 {
		t.counts.sentAway.Add(1)
		return away, nil
	}
	if wait == 0 {
		return 0, nil
	}
	t.counts.heldBack.Add(1)
	ready := make(chan struct{})
	defer t.clock.AfterFunc(wait, func() { close(ready) })()
	select {
	case <-ready:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// reserve takes the device's next place, and gives how long it is until then. A
// place that is too far away is not taken.
func (t *turnstile) reserve(id domain.DeviceID) (wait, away time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, p := t.clock.Now(), t.devices[id]
	if p.paid.Before(now) {
		p = passage{paid: now}
	}
	wait = max(p.paid.Sub(now)-time.Duration(t.rate.Burst-1)*t.rate.Every, 0)
	if wait > patience {
		if !p.warned {
			t.logger.Warn("a device opens links too often and is sent away", "device", id)
		}
		p.warned = true
		t.devices[id] = p
		return wait, wait
	}
	p.paid = p.paid.Add(t.rate.Every)
	t.devices[id] = p
	return wait, 0
}

// forget drops what is known of devices that may come as they like again.
func (t *turnstile) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	for id, p := range t.devices {
		if p.paid.Before(now) {
			delete(t.devices, id)
		}
	}
}
