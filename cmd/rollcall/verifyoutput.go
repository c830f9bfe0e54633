package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/verify"
)

// finding is one thing that is wrong, as it is printed.
type finding struct {
	Finding string          `json:"finding"`
	From    domain.Position `json:"from"`
	To      domain.Position `json:"to"`
	Problem string          `json:"problem"`
}

func (f finding) positions() string {
	if f.From == f.To {
		return fmt.Sprint(f.From)
	}
	return fmt.Sprintf("%d-%d", f.From, f.To)
}

func (a *app) printFindings(r *verify.Report, problem *eventstore.DamageError) error {
	var found []finding
	if problem != nil {
		found = append(found, finding{verify.Damage.String(), problem.From, max(problem.From, problem.To), "on opening: " + problem.Problem})
	}
	for _, f := range r.Findings {
		found = append(found, finding{f.Kind.String(), f.From, f.To, problemText(f.Err)})
	}
	if len(found) == 0 {
		return nil
	}
	return list(a, []string{"FINDING", "POSITIONS", "PROBLEM"}, found, func(f finding) []string {
		return []string{f.Finding, f.positions(), printable(f.Problem)}
	})
}

// problemText leaves out what the row says already.
func problemText(err error) string {
	if damage := (*eventstore.DamageError)(nil); errors.As(err, &damage) {
		return damage.Problem
	}
	return err.Error()
}

// verified is the summary.
type verified struct {
	Log      uuid.UUID         `json:"log"`
	Last     domain.Position   `json:"last"`
	Events   uint64            `json:"events"`
	Sides    uint64            `json:"side_records"`
	Replayed domain.Position   `json:"replayed"`
	Prefix   domain.Position   `json:"prefix"`
	Found    map[string]uint64 `json:"found,omitempty"`
	Clean    bool              `json:"clean"`
}

func (a *app) printVerified(log *damagedLog, r *verify.Report, took time.Duration) error {
	v := verified{
		Log: uuid.UUID(log.ID()), Last: r.Last, Events: r.Events, Sides: r.Sides,
		Replayed: r.Replayed, Prefix: r.Prefix, Found: make(map[string]uint64), Clean: r.Clean() && log.problem == nil,
	}
	count := uint64(0)
	for kind, n := range r.Found {
		v.Found[kind.String()] = n
		count += n
	}
	if log.problem != nil {
		count++
	}
	if a.output.json {
		return writeJSON(a.out, v)
	}
	fmt.Fprintf(a.out, "%s: %d of %d events and %d side records read in %v (%.0f events a second)\n",
		v.Log, v.Events, v.Last, v.Sides, took.Round(time.Millisecond), rate(v.Events, took))
	if v.Clean {
		_, err := fmt.Fprintln(a.out, "Nothing is wrong: checksums, positions, times, references, side records, and every decision.")
		return err
	}
	saves := fmt.Sprintf("positions 1 to %d can be saved with --salvage", v.Prefix)
	if v.Prefix == 0 {
		saves = "nothing can be saved: the damage begins with the first event"
	}
	_, err := fmt.Fprintf(a.out, "Findings: %d. Decisions were derived again up to position %d; %s.\n", count, v.Replayed, saves)
	return err
}

func rate(events uint64, took time.Duration) float64 {
	return float64(events) / max(took.Seconds(), 1e-6)
}

// salvage writes what stands in front of the damage into a new log file.
func (a *app) salvage(ctx context.Context, log *damagedLog, r *verify.Report, file string) (err error) {
	if r.Prefix == 0 {
		return &exitError{exitDamage, fmt.Errorf("there is nothing to salvage: the damage begins with the first event")}
	}
	scratch, err := os.MkdirTemp(filepath.Dir(file), ".rollcall-salvage-")
	if err != nil {
		return fmt.Errorf("salvage to %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := boltlog.Create(scratch, log.ID()); err != nil {
		return fmt.Errorf("salvage to %s: %w", file, err)
	}
	to, err := boltlog.Open(scratch, boltlog.Options{})
	if err != nil {
		return fmt.Errorf("salvage to %s: %w", file, err)
	}
	done, err := r.Salvage(ctx, log, to)
	if err == nil {
		err = to.Backup(ctx, file)
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	return a.report(struct {
		Salvaged string `json:"salvaged"`
		Events   uint64 `json:"events"`
		Sides    uint64 `json:"side_records"`
	}{file, done.Events, done.Sides}, "%s: %d events and %d side records saved", file, done.Events, done.Sides)
}
