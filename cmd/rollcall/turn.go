package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"rollcall/adapters/control"
	"rollcall/eventstore"
)

// How long a command waits for the log while another process has it: lockPatience
// for each of those that are in front of it, and crowdPatience for all of them. A
// short command is done in a fraction of that.
const (
	lockPatience  = 3 * time.Second
	crowdPatience = 15 * time.Second
)

// turn waits until it is this process's turn with a log.
type turn struct {
	began      time.Time
	holder     int // the process that had the log when it was last tried
	holderFrom time.Time
}

func newTurn() *turn {
	now := time.Now()
	return &turn{began: now, holderFrom: now}
}

// again tells, after a pause, whether it makes sense to open the log once more
// after err: where another process has it, and not for too long.
func (t *turn) again(ctx context.Context, err error) bool {
	var busy *eventstore.InUseError
	if !errors.As(err, &busy) {
		return false
	}
	now := time.Now()
	if busy.PID != t.holder {
		t.holder, t.holderFrom = busy.PID, now
	}
	if now.Sub(t.holderFrom) > lockPatience || now.Sub(t.began) > crowdPatience {
		return false
	}
	// Not all who wait come back at the same moment.
	return sleep(ctx, 20*time.Millisecond+rand.N(40*time.Millisecond)) == nil
}

// openInTurn opens the core of an appliance that is to serve. Where one serves
// already there is nothing to wait for.
func openInTurn(ctx context.Context, o runOptions) (*core, error) {
	for t := newTurn(); ; {
		c, err := openCore(ctx, o.Data, o.cost, timing(o.Timing), o.logger, o.ports)
		if err == nil || served(ctx, o.Data) || !t.again(ctx, err) {
			return c, err
		}
	}
}

// served tells whether an appliance answers on a data folder.
func served(ctx context.Context, data string) bool {
	_, err := control.Dial(ctx, data)
	return err == nil
}
