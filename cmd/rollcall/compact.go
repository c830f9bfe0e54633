package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/eventstore/boltlog"
)

func (a *app) compactCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Write the log anew, so that what was deleted is gone from its files",
		Long: `Writes the log anew, with every event and what is there of personal data, and puts
it in the place of the old file, which is filled with zeros first. Names,
addresses and credentials that were deleted are then in none of the files. The
appliance must be stopped; as much room as the log takes is needed meanwhile. It can
be interrupted at any time: run it again.`,
		Example: "  rollcall compact --data /var/lib/rollcall",
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.compact(ctx)
		},
	}
}

// compacted is what compact reports.
type compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

func (a *app) compact(ctx context.Context) error {
	if a.isRunning(ctx) {
		return &exitError{exitData, fmt.Errorf("an appliance runs on %s; stop it first, compact, and start it again", a.data)}
	}
	if info, err := os.Stat(a.data); err == nil && !info.IsDir() {
		return &usageError{fmt.Errorf("%s is a file; compact works on a data folder, and a backup is written anew in any case", a.data)}
	}
	done, err := boltlog.Compact(ctx, a.data)
	if errors.Is(err, fs.ErrNotExist) {
		return noDataError(a.data, err)
	}
	if err != nil {
		return err
	}
	return a.report(compacted(done), "the log is written anew: %d bytes, %d before", done.After, done.Before)
}

// isRunning tells whether an appliance answers for the data folder.
func (a *app) isRunning(ctx context.Context) bool {
	_, err := control.Dial(ctx, a.data, errorKinds...)
	return err == nil
}
