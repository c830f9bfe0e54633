package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"time"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/projections"
)

// Audit implements [control.Operator].
func (a *appliance) Audit(ctx context.Context, f control.AuditFilter) iter.Seq2[control.AuditRow, error] {
	return audit.Rows(ctx, a.log, f)
}

// Backup implements [control.Operator].
func (a *appliance) Backup(ctx context.Context, path string) (control.BackupDone, error) {
	if err := a.log.Backup(ctx, path); err != nil {
		return control.BackupDone{}, err
	}
	written, err := openLogForReading(path)
	if err != nil {
		return control.BackupDone{}, err
	}
	info, err := os.Stat(path)
	if err := errors.Join(err, written.Close()); err != nil {
		return control.BackupDone{}, err
	}
	return control.BackupDone{Path: path, Bytes: info.Size(), Last: written.Last()}, nil
}

// Rebuild implements [control.Operator].
func (a *appliance) Rebuild(ctx context.Context, r control.Rebuild) iter.Seq2[control.RebuildProgress, error] {
	return func(yield func(control.RebuildProgress, error) bool) {
		names := r.Names
		if len(names) == 0 {
			names = a.views.Names()
		}
		for _, name := range names {
			if !a.rebuildOne(ctx, name, r.CheckOnly, yield) {
				return
			}
		}
	}
}

// rebuildOne rebuilds one projection; false if nobody wants to hear more.
func (a *appliance) rebuildOne(ctx context.Context, name string, checkOnly bool, yield func(control.RebuildProgress, error) bool) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began, wanted := time.Now(), true
	progress := func(p projections.Progress) {
		if !wanted {
			return
		}
		wanted = yield(control.RebuildProgress{Projection: name, Events: p.Events, Total: p.Total, Elapsed: control.Duration(time.Since(began))}, nil)
		if !wanted {
			cancel()
		}
	}
	work := a.views.Rebuild
	if checkOnly {
		work = a.views.Check
	}
	report, err := work(ctx, name, progress)
	if !wanted {
		return false
	}
	if errors.Is(err, projections.ErrUnknownProjection) {
		err = errors.Join(control.ErrUnknownProjection, err)
	}
	if err != nil {
		yield(control.RebuildProgress{}, err)
		return false
	}
	return yield(rebuilt(name, report), nil)
}

func rebuilt(name string, r projections.Report) control.RebuildProgress {
	p := control.RebuildProgress{
		Projection: name, Events: uint64(r.Position), Total: uint64(r.Position),
		Elapsed: control.Duration(r.Took), Done: true,
	}
	if r.Difference != nil {
		p.Difference = r.Difference.String()
	}
	return p
}
