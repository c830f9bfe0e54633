package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/cmd/rollcall/internal/why"
	"rollcall/projections"
)

// Audit implements [control.Operator].
func (a *appliance) Audit(ctx context.Context, f control.AuditFilter) iter.Seq2[control.AuditRow, error] {
	return audit.Rows(ctx, a.log, f)
}

// Why implements [control.Operator].
func (a *appliance) Why(ctx context.Context, q control.WhyQuery) (control.Why, error) {
	return why.Of(ctx, a.log, q)
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
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		wanted := true
		tell := func(p control.RebuildProgress, err error) {
			if wanted {
				wanted = yield(p, err)
			}
			if !wanted {
				cancel()
			}
		}
		reports, err := a.rebuildAll(ctx, r, func(p control.RebuildProgress) { tell(p, nil) })
		for _, report := range reports {
			tell(rebuilt(report.Projection, report), nil)
		}
		if err != nil {
			tell(control.RebuildProgress{}, err)
		}
	}
}

// rebuildAll rebuilds the projections in one pass over the log.
func (a *appliance) rebuildAll(ctx context.Context, r control.Rebuild, tell func(control.RebuildProgress)) ([]projections.Report, error) {
	names := a.views.Names()
	if len(r.Names) > 0 {
		names = nil
	}
	for _, name := range r.Names {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	began, all := time.Now(), strings.Join(names, ", ")
	work := a.views.RebuildAll
	if r.CheckOnly {
		work = a.views.CheckAll
	}
	reports, err := work(ctx, names, func(p projections.Progress) {
		tell(control.RebuildProgress{Projection: all, Events: p.Events, Total: p.Total, Elapsed: control.Duration(time.Since(began))})
	})
	if errors.Is(err, projections.ErrUnknownProjection) {
		err = errors.Join(control.ErrUnknownProjection, err)
	}
	return reports, err
}

func rebuilt(name string, r projections.Report) control.RebuildProgress {
	p := control.RebuildProgress{
		Projection: name, Events: uint64(r.Position), Total: uint64(r.Position),
		Elapsed: control.Duration(r.Took), Done: true, Resumed: uint64(r.Resumed),
	}
	if r.Difference != nil {
		p.Difference = r.Difference.String()
	}
	return p
}
