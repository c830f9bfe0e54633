package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/verify"
)

func (a *app) auditVerifyCommand() *cobra.Command {
	var salvage string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read everything of the log again, and say what is wrong with it",
		Long: `Reads every event and every side record of a data folder, a copy of one or a backup
file: checksums, positions, times, what refers to what, and every decision, which is
derived again. Prints what is wrong and what can still be read. While an appliance
runs, a backup of its log is made and read.

Exits 0 where nothing is wrong, 5 where the log is damaged, and 8 where it can be read
but is not what the rules give. With --salvage the events in front of the first
damage are written to a new file, with their side records, also where that is all.`,
		Example: `  rollcall audit verify
  rollcall audit verify --data /mnt/copy-of-the-data --salvage saved.db`,
		Args: arguments(),
	}
	beside := func() error {
		if salvage != "" {
			return &usageError{fmt.Errorf("--salvage works on files; stop the appliance, or give a copied folder or a backup with --data")}
		}
		return nil
	}
	cmd.RunE = a.verifying(beside, func(ctx context.Context, log *damagedLog) error {
		return a.verifyLog(ctx, log, salvage)
	})
	cmd.Flags().StringVar(&salvage, "salvage", "", "write what can be read in front of the damage to this new `FILE`")
	return cmd
}

func (a *app) backupVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "verify FILE",
		Short:   "Read everything of a backup, and say what is wrong with it",
		Long:    "Does with a backup what 'rollcall audit verify' does with a log; the exit codes are the same.",
		Example: "  rollcall backup verify /var/backups/rollcall-2026-03-01.db",
		Args:    arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return fmt.Errorf("there is no file %s to verify: %w", args[0], err)
			case err == nil && info.IsDir():
				return &usageError{fmt.Errorf("%s is a folder; a backup is one file, and 'rollcall audit verify --data' takes a folder", args[0])}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			log, err := openDamaged(args[0])
			if err != nil {
				return err
			}
			return errors.Join(a.verifyLog(ctx, log, ""), log.Close())
		},
	}
}

// logFile is the log's own file in a data folder.
const logFile = "log.db"

// damagedLog is a log that is read although it may be damaged.
type damagedLog struct {
	*boltlog.Log
	// problem is why it could not be opened as usual; nil if it could.
	problem *eventstore.DamageError
}

// openDamaged opens a stopped data folder, a copy of one or a backup. Where files of
// two moments lie together it is what log.db holds that is read.
func openDamaged(path string) (*damagedLog, error) {
	log, err := openLogForReading(path)
	if err := unlessNoLog(path, exitDamage, err); is[*exitError](err) {
		return nil, err
	}
	var damage *eventstore.DamageError
	var copied *eventstore.CopyError
	if !errors.As(err, &damage) && !errors.As(err, &copied) {
		return &damagedLog{Log: log}, err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, logFile)
	}
	log, openErr := boltlog.OpenDamaged(path)
	switch {
	case errors.Is(openErr, fs.ErrNotExist):
		return nil, err
	case openErr != nil:
		return nil, fmt.Errorf("nothing of it can be read: %w", openErr)
	case damage == nil:
		damage = &eventstore.DamageError{Path: path, From: log.Last() + 1, Problem: copied.Problem}
	}
	return &damagedLog{log, damage}, nil
}

// verifying gives a command's RunE that reads a log: that of the files or, where
// an appliance runs on them, a backup which goes away afterwards. beside may refuse
// to work beside an appliance, before the backup is made.
func (a *app) verifying(beside func() error, work func(ctx context.Context, log *damagedLog) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		path := a.data
		op, err := control.Dial(ctx, a.data, errorKinds...)
		if err != nil && !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		if err == nil {
			if err := beside(); err != nil {
				return err
			}
			scratch, err := os.MkdirTemp("", "rollcall-verify-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(scratch)
			path = filepath.Join(scratch, "backup.db")
			fmt.Fprintln(a.errOut, "An appliance runs: this reads a backup of its log, made now.")
			if _, err := op.Backup(ctx, path); err != nil {
				return fmt.Errorf("make a backup to read: %w; stop the appliance and run this again, it then reads the files themselves", err)
			}
		}
		log, err := openDamaged(path)
		if err != nil {
			return err
		}
		return errors.Join(work(ctx, log), log.Close())
	}
}

func (a *app) verifyLog(ctx context.Context, log *damagedLog, salvage string) error {
	if _, err := os.Lstat(salvage); salvage != "" && !errors.Is(err, fs.ErrNotExist) {
		return &usageError{fmt.Errorf("%s is there already; name a new file", salvage)}
	}
	report, took, err := a.check(ctx, log, verify.Options{})
	if err != nil {
		return err
	}
	if err := a.printFindings(report, log.problem); err != nil {
		return err
	}
	if err := a.printVerified(log, report, took); err != nil {
		return err
	}
	if salvage == "" {
		return verdict(report, log.problem, "")
	}
	if err := a.salvage(ctx, log, report, salvage); err != nil {
		return err
	}
	return verdict(report, log.problem, salvage)
}

// check reads the log, with a progress bar.
func (a *app) check(ctx context.Context, log *damagedLog, o verify.Options) (*verify.Report, time.Duration, error) {
	bar, began := a.progressBar(), time.Now()
	o.Progress = func(events, total uint64) {
		bar.show(control.RebuildProgress{Projection: "verify", Events: events, Total: total, Done: events == total})
	}
	report, err := verify.Check(ctx, log, o)
	if err != nil {
		return nil, 0, fmt.Errorf("read the log: %w", err)
	}
	return report, time.Since(began), nil
}

// verdict gives the exit code for what was found. saved is the file with what could
// be saved; empty where nothing was.
func verdict(r *verify.Report, problem *eventstore.DamageError, saved string) error {
	decisions := r.Found[verify.Decision]
	switch {
	case r.Clean() && problem == nil:
		return nil
	case problem == nil && len(r.Found) == 1 && decisions > 0:
		return &exitError{exitDifference, fmt.Errorf("the log can be read, and is not what the rules give: it was changed, or written by other rules")}
	}
	next := "restore a backup"
	switch {
	case saved != "":
		next += ", or put " + saved + " in place of the log like one: it holds what stands in front of the damage"
	case r.Prefix > 0:
		next += ", or save what stands in front of the damage with 'rollcall audit verify --salvage FILE'"
	}
	return &exitError{exitDamage, fmt.Errorf("the log is damaged, or from a newer version; %s", next)}
}
