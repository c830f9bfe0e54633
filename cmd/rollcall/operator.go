package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/adapters/local"
	"rollcall/cmd/rollcall/internal/config"
	"rollcall/domain/broker"
	"rollcall/eventstore"
	"rollcall/projections"
)

// request is what a command asks an operator for.
type request func(ctx context.Context, op control.Operator, args []string) error

// reading makes a command's RunE of a request that changes nothing. It is put to
// the running appliance where there is one, else to the files, which are not
// written to: a copy or a backup file will do.
func (a *app) reading(ask request) func(*cobra.Command, []string) error {
	return a.operate(ask, openForReading)
}

// changing is reading for a request that changes something.
func (a *app) changing(ask request) func(*cobra.Command, []string) error {
	return a.operate(ask, openForChanging)
}

// errorKinds are the errors that keep their identity over the control socket,
// besides those of the domain.
var errorKinds = []control.ErrorKind{
	control.Typed[*eventstore.DamageError]("log-damage"),
	control.Typed[*eventstore.ChainError]("log-chain"),
	control.Typed[*eventstore.FormatError]("log-format"),
	control.Typed[*eventstore.CopyError]("log-copy"),
	control.Typed[*eventstore.InUseError]("log-in-use"),
	control.Typed[*eventstore.ConflictError]("log-conflict"),
	control.Typed[*eventstore.BatchError]("log-batch"),
	control.Typed[*projections.StaleError]("stale-view"),
	control.Sentinel("log-failed", eventstore.ErrFailed),
	control.Sentinel("log-full", eventstore.ErrFull),
	control.Sentinel("log-closed", eventstore.ErrClosed),
	control.Sentinel("log-read-only", eventstore.ErrReadOnly),
}

// opener opens an appliance that does not run.
type opener func(ctx context.Context, data string, logger *slog.Logger) (op *appliance, done func() error, err error)

func (a *app) operate(ask request, open opener) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		op, done, err := a.reach(ctx, open)
		if err != nil {
			return err
		}
		defer a.stillWaiting(op)()
		err = ask(ctx, op, args)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = errInterrupted
		}
		return errors.Join(err, done())
	}
}

// errInterrupted tells of an interrupt before there was an answer.
var errInterrupted = errors.New("interrupted before there was an answer; what was asked for may have been done")

// answerPatience is how long a command waits for the running appliance without a
// word.
const answerPatience = 10 * time.Second

// stillWaiting tells after a while that it is the running appliance which is waited
// for, until it is over.
func (a *app) stillWaiting(op control.Operator) (over func()) {
	if _, running := op.(*control.Client); !running {
		return func() {}
	}
	waiting := time.AfterFunc(answerPatience, func() {
		fmt.Fprintf(a.errOut, "rollcall: still waiting for the appliance on %s; if it answers nothing at all, look at its log, and whether it runs\n", a.data)
	})
	return func() { waiting.Stop() }
}

// reach gives the running appliance, or else the files of the one that does not
// run: once whoever works on them is done.
func (a *app) reach(ctx context.Context, open opener) (control.Operator, func() error, error) {
	logger := newLogger(a.errOut, config.Log{Level: config.Level{Level: slog.LevelWarn}})
	for t := newTurn(); ; {
		running, err := control.Dial(ctx, a.data, errorKinds...)
		if err == nil {
			return running, func() error { return nil }, nil
		}
		if !errors.Is(err, control.ErrNotRunning) {
			return nil, nil, err
		}
		stopped, done, err := open(ctx, a.data, logger)
		if err == nil {
			return stopped, done, nil
		}
		if !t.again(ctx, err) {
			return nil, nil, unlessNoLog(a.data, exitData, err)
		}
	}
}

// openForReading opens a stopped data folder, a copy of one, or a backup.
func openForReading(ctx context.Context, data string, _ *slog.Logger) (*appliance, func() error, error) {
	store, err := openCopy(data)
	if err != nil {
		return nil, nil, err
	}
	return &appliance{store: store, data: data}, store.Close, nil
}

// openForChecking opens the views as they are stored, to compare them.
func openForChecking(_ context.Context, data string, _ *slog.Logger) (*appliance, func() error, error) {
	store, err := openAsStored(data)
	if err != nil {
		return nil, nil, err
	}
	return &appliance{store: store, data: data}, store.Close, nil
}

// openForChanging opens a data folder as serve does, without letting anybody in.
func openForChanging(ctx context.Context, data string, logger *slog.Logger) (*appliance, func() error, error) {
	settings, err := config.Load(config.Sources{File: os.Getenv("ROLLCALL_CONFIG"), Env: os.Environ()})
	if err != nil {
		return nil, nil, err
	}
	c, err := openCore(ctx, data, local.DefaultCost, broker.Timing{}, logger, nil)
	if err != nil {
		return nil, nil, err
	}
	a := &appliance{store: c.store, data: data, broker: c.broker, key: c.key, address: stoppedAddress(settings)}
	done := func() error {
		return errors.Join(c.stop(), a.caughtUp(context.WithoutCancel(ctx)), c.inbox.Close(), c.store.Close())
	}
	return a, done, nil
}

// stoppedAddress gives the address for enrolment strings that serve would give
// with the same settings.
func stoppedAddress(c config.Config) string {
	switch {
	case c.PublicAddress.HostPort != "":
		return c.PublicAddress.HostPort
	case c.RemoteDispatchers:
		return ""
	}
	return reachable(c.Listen)
}
