package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// appliance is what operators can ask for: of the appliance in this process, or
// of the files of one that does not run. It is safe for concurrent use.
type appliance struct {
	*store
	data    string
	started time.Time // zero where the appliance does not run
	// broker takes what changes something; nil where the files are only read.
	broker *broker.Broker
	// key and address go into enrolment strings.
	key     device.Key
	address string
	// listening is where devices connect; empty where dispatchers do.
	listening string
}

var _ control.Operator = (*appliance)(nil)

// errReadOnly tells that a copy or a backup was to be changed.
var errReadOnly = errors.New("this is only open for reading")

// caughtUp sees to it that the views hold everything that has been written:
// whoever changed something sees it.
func (a *appliance) caughtUp(ctx context.Context) error {
	if a.started.IsZero() {
		return a.views.CatchUp(ctx) // nobody else keeps them
	}
	return a.store.waitForViews(ctx)
}

// Status implements [control.Operator].
func (a *appliance) Status(ctx context.Context) (control.Status, error) {
	counts, err := a.Count(ctx)
	if err != nil {
		return control.Status{}, err
	}
	data, err := filepath.Abs(a.data)
	if err != nil {
		return control.Status{}, err
	}
	s := control.Status{
		Version: version, PID: os.Getpid(), Started: a.started, Data: data, Listen: a.listening,
		Log: uuid.UUID(a.log.ID()), Position: a.log.Last(),
	}
	for _, c := range counts {
		s.Seats += c.Seats
	}
	if err := a.problem(); err != nil {
		s.Problem = err.Error()
	}
	return s, nil
}

// problem tells what is wrong with the appliance; nil if nothing is.
func (a *appliance) problem() error {
	problems := a.views.Stopped()
	if a.broker != nil {
		problems = append(problems, a.broker.Err())
	}
	return errors.Join(problems...)
}

// uuid gives the outside name of the thing at p.
func (a *appliance) uuid(p domain.Position) uuid.UUID { return a.log.ID().UUID(p) }

// side gives a side record as text; empty if there is none.
func (a *appliance) side(ctx context.Context, p domain.Position, kind domain.SideKind) (string, error) {
	if p == 0 {
		return "", nil
	}
	value, _, err := a.log.Side(ctx, domain.SideKey{Position: p, Kind: kind})
	return string(value), err
}

// serverKeyFile holds the key that enrolment strings name, in the data folder.
const serverKeyFile = "device-link.key"
