package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/domain"
	"rollcall/eventstore"
)

// followPause is how often the files of a stopped appliance are looked at for
// something new. In between they are closed, for whoever wants to write.
const followPause = 500 * time.Millisecond

// follower prints rows as they come, from a running appliance and from the files
// of a stopped one, in turn, each row once.
type follower struct {
	app    *app
	filter control.AuditFilter
	print  func(control.AuditRow) error

	printed domain.Position // the last row that was printed
	read    domain.Position // where the files ended when they were last read
}

// follow goes on until ctx ends, which is no error, or the filter's span is over.
func (a *app) follow(ctx context.Context, f control.AuditFilter, print func(control.AuditRow) error) error {
	w := &follower{app: a, filter: f, print: print}
	for {
		over, err := w.look(ctx)
		if over || err != nil || ctx.Err() != nil {
			return err
		}
		if sleep(ctx, followPause) != nil {
			return nil
		}
	}
}

// look prints what is new: of a running appliance until it stops.
func (w *follower) look(ctx context.Context) (over bool, err error) {
	running, err := control.Dial(ctx, w.app.data, errorKinds...)
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return w.files(ctx)
	case err != nil:
		return ctx.Err() != nil, unlessOver(ctx, err)
	}
	filter := w.filter
	filter.Follow = true
	err = w.rows(running.Audit(ctx, filter))
	if errors.Is(err, control.ErrStopping) || errors.Is(err, control.ErrConnectionLost) || errors.Is(err, control.ErrNotRunning) {
		fmt.Fprintln(w.app.errOut, "rollcall: the appliance has stopped; following goes on when it is back")
		return false, nil
	}
	return true, err
}

// files prints what is new in the files of an appliance that does not run. Whoever
// has them open just now is waited for.
func (w *follower) files(ctx context.Context) (over bool, err error) {
	log, err := openLogForReading(w.app.data)
	var busy *eventstore.InUseError
	switch {
	case errors.As(err, &busy):
		return false, nil
	case err != nil:
		return false, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if last := log.Last(); last > w.read {
		filter := w.filter
		filter.Follow = false
		if err := w.rows(audit.Rows(ctx, log, filter)); err != nil {
			return true, unlessOver(ctx, err)
		}
		w.read = last
	}
	return !w.filter.To.IsZero() && time.Now().After(w.filter.To), nil
}

func (w *follower) rows(rows func(yield func(control.AuditRow, error) bool)) error {
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if row.Position <= w.printed {
			continue
		}
		if err := w.print(row); err != nil {
			return err
		}
		w.printed = row.Position
	}
	return nil
}

// unlessOver drops the error that the end of ctx causes: that is how following
// ends.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
