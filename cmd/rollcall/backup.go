package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
)

func (a *app) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole log into one file, also while the appliance runs",
		Long: `Writes the log as of now, with its side records, into a new file: consistent,
complete, and also while the appliance runs. 'rollcall audit' and the commands that
list things read the file on any machine with --data FILE. It holds personal data
and sealed credentials: keep it as safe as the data folder.`,
		Example: "  rollcall backup /var/backups/rollcall-$(date +%F).db",
		Args:    arguments("FILE"),
		RunE: a.reading(func(ctx context.Context, op control.Operator, args []string) error {
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				return &usageError{fmt.Errorf("%s is a folder; name a new file in it", path)}
			}
			done, err := op.Backup(ctx, path)
			switch {
			case errors.Is(err, fs.ErrExist):
				return &usageError{fmt.Errorf("%s is there already; name a new file", path)}
			case err != nil:
				return fmt.Errorf("back up to %s: %w", path, err)
			}
			return a.report(done, "%s: %d events, %d bytes", done.Path, done.Last, done.Bytes)
		}),
	}
	cmd.AddCommand(a.backupVerifyCommand())
	return cmd
}
