package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rollcall/adapters/control"
)

func (a *app) rebuildCommand() *cobra.Command {
	var r control.Rebuild
	cmd := &cobra.Command{
		Use:   "rebuild [NAME...]",
		Short: "Make projections anew from the log, and compare",
		Long: `Makes the named projections, or all, anew from the log beside the live ones,
compares, and puts the new ones in their place. It can be interrupted at any time.
With --check it only compares, and exits 8 where one differs.`,
		Example: `  rollcall rebuild
  rollcall rebuild sessions usage
  rollcall rebuild --check --data /mnt/copy-of-the-data`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkProjections(args); err != nil {
				return err
			}
			open := openForChanging
			if r.CheckOnly {
				open = openForChecking
			}
			return a.operate(func(ctx context.Context, op control.Operator, names []string) error {
				r.Names = names
				return a.rebuild(ctx, op, r)
			}, open)(cmd, args)
		},
	}
	cmd.Flags().BoolVar(&r.CheckOnly, "check", false, "only compare; replace nothing")
	cmd.ValidArgsFunction = cobra.FixedCompletions(projectionNames(), cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

func projectionNames() []string {
	var names []string
	for _, p := range everyProjection() {
		names = append(names, p.Name)
	}
	return names
}

// checkProjections tells of a name that no projection has before anything is
// opened, or made.
func checkProjections(names []string) error {
	known := projectionNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return &exitError{exitUnknown, fmt.Errorf("%.60q: %w; there are %s", name, control.ErrUnknownProjection, strings.Join(known, ", "))}
		}
	}
	return nil
}

func (a *app) rebuild(ctx context.Context, op control.Operator, r control.Rebuild) error {
	differ := false
	bar := a.progressBar()
	for p, err := range op.Rebuild(ctx, r) {
		if err != nil {
			return fmt.Errorf("rebuild: %w", err)
		}
		bar.show(p)
		if !p.Done {
			continue
		}
		differ = differ || p.Difference != ""
		if err := a.reportRebuilt(p, r.CheckOnly); err != nil {
			return err
		}
	}
	if differ && r.CheckOnly {
		return &exitError{exitDifference, fmt.Errorf("a projection is not what the log says; 'rollcall rebuild' makes it anew")}
	}
	return nil
}

func (a *app) reportRebuilt(p control.RebuildProgress, checkOnly bool) error {
	took := time.Duration(p.Elapsed)
	rate := float64(p.Events-p.Resumed) / max(took.Seconds(), 1e-6)
	verdict := "agrees with the log"
	switch {
	case p.Difference != "" && checkOnly:
		verdict = "DIFFERS: " + p.Difference
	case p.Difference != "":
		verdict = "differed and is replaced: " + p.Difference
	}
	if p.Resumed > 0 {
		verdict += fmt.Sprintf(" (went on behind event %d)", p.Resumed)
	}
	return a.report(p, "%-14s %d events in %v (%.0f a second): %s", p.Projection, p.Events, took.Round(time.Millisecond), rate, verdict)
}

// rebuildBar is a progress bar where somebody watches, and nothing elsewhere.
type rebuildBar struct {
	bar        *progressbar.ProgressBar
	projection string
	on         bool
}

func (a *app) progressBar() *rebuildBar {
	f, ok := a.errOut.(*os.File)
	return &rebuildBar{on: ok && term.IsTerminal(int(f.Fd())) && !a.output.json}
}

func (b *rebuildBar) show(p control.RebuildProgress) {
	if !b.on {
		return
	}
	if b.bar == nil || b.projection != p.Projection {
		b.projection = p.Projection
		b.bar = progressbar.NewOptions64(int64(p.Total),
			progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.Projection),
			progressbar.OptionSetItsString("events"), progressbar.OptionShowIts(), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	_ = b.bar.Set64(int64(p.Events))
	if p.Done {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
