package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rollcall/domain"
	"rollcall/eventstore/verify"
)

func (a *app) auditReplayCommand() *cobra.Command {
	first := 10
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Derive every decision again, and name those that differ",
		Long: `Derives every decision again from the events in front of it and its own evidence, and
compares it with what the log has. Works as 'rollcall audit verify' does, of which it
is a part. Exits 0 where everything is the same, 8 where something differs, and 5
where the log is damaged: what follows the damage cannot be derived.`,
		Example: `  rollcall audit replay
  rollcall audit replay --data backup.db -o json`,
		Args: arguments(),
		RunE: a.verifying(func() error { return nil }, func(ctx context.Context, log *damagedLog) error {
			return a.replay(ctx, log, first)
		}),
	}
	cmd.Flags().Var(numberFlag{&first}, "first", "how many differences to print")
	return cmd
}

// difference is one event that is not what the rules give.
type difference struct {
	Position domain.Position `json:"position"`
	Recorded string          `json:"recorded"`
	Derived  string          `json:"derived"`
	Problem  string          `json:"problem,omitempty"`
	Text     string          `json:"text"`
}

func (a *app) replay(ctx context.Context, log *damagedLog, first int) error {
	if first < 0 {
		return &usageError{fmt.Errorf("--first %d is no number of differences; give 0 or more", first)}
	}
	report, took, err := a.check(ctx, log, verify.Options{DecisionsOnly: true})
	if err != nil {
		return err
	}
	if err := a.printDifferences(report, first); err != nil {
		return err
	}
	summary := struct {
		Replayed    domain.Position `json:"replayed"`
		Last        domain.Position `json:"last"`
		Differences uint64          `json:"differences"`
	}{report.Replayed, report.Last, report.Found[verify.Decision]}
	verdictText := "every decision follows from the log"
	if summary.Differences > 0 {
		verdictText = fmt.Sprintf("%d decisions DIFFER", summary.Differences)
	}
	err = a.report(summary, "%d of %d events replayed in %v (%.0f a second): %s", report.Replayed, report.Last,
		took.Round(time.Millisecond), rate(uint64(report.Replayed), took), verdictText)
	return errors.Join(err, verdict(report, log.problem, ""))
}

func (a *app) printDifferences(r *verify.Report, first int) error {
	for _, f := range r.Findings {
		var m *domain.MismatchError
		if !errors.As(f.Err, &m) {
			continue
		}
		if first--; first < 0 {
			return nil
		}
		d := difference{Position: m.Position, Recorded: typeOf(m.Recorded), Derived: typeOf(m.Derived), Problem: m.Problem, Text: m.Error()}
		if err := a.report(d, "%s", printable(d.Text)); err != nil {
			return err
		}
	}
	return nil
}

func typeOf(e domain.Event) string {
	if e == nil {
		return "none"
	}
	return e.Type().String()
}
