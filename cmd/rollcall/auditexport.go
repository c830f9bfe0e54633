package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/domain"
)

func (a *app) auditExportCommand() *cobra.Command {
	var (
		filter auditFlags
		format = choiceFlag{of: []string{"csv", "json"}, word: "FORMAT"}
		file   string
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the events for other tools, as CSV or JSON",
		Long: `Writes every event, or those that the flags ask for, as one row each: as CSV (RFC 4180,
UTF-8, with a header, lines that end in LF), or as JSON with one object a line, as 'rollcall audit log -o json'
prints them. A cell of the CSV that a spreadsheet would take for a formula begins with
an apostrophe, and control characters are replaced. docs/operating.md has the columns.

With --out the rows go to a new file, which is whole and on the disk when it gets its
name. It holds personal data: keep it as safe as the data folder.`,
		Example: `  rollcall audit export --format csv --from 2026-03-01 --to 2026-04-01 --out march.csv
  rollcall audit export --format json --type login-rejected | gzip > refused.json.gz
  rollcall audit export --data backup.db --person "Ada Lovelace"`,
		Args: arguments(),
		RunE: a.reading(func(ctx context.Context, op control.Operator, _ []string) error {
			f, err := filter.read(ctx, op)
			if err != nil {
				return err
			}
			e := export{app: a, op: op, filter: f, json: format.value == "json" || format.value == "" && a.output.json}
			if file == "" {
				return e.write(ctx, a.out)
			}
			return e.toFile(ctx, file)
		}),
	}
	filter.add(cmd)
	cmd.Flags().Var(&format, "format", "csv or json; csv where neither this nor '-o json' says otherwise")
	cmd.Flags().StringVar(&file, "out", "", "write to this new `FILE`, and not to the standard output")
	completes(cmd, "format", format.of)
	return cmd
}

// export writes events, one row each.
type export struct {
	app    *app
	op     control.Operator
	filter control.AuditFilter
	json   bool

	rows uint64
	// bar is nil where nobody would see it; last is where the log ended.
	bar  *rebuildBar
	last domain.Position
}

// write writes the rows to w. Those in front of what cannot be read are written,
// too.
func (e *export) write(ctx context.Context, w io.Writer) error {
	rows := newRowWriter(w, e.json)
	err := e.each(ctx, rows)
	if flushed := rows.flush(); !errors.Is(err, flushed) { // which may be why
		err = errors.Join(err, flushed)
	}
	return err
}

// each writes every row; where there is none it tells of a name in the filter that
// the log knows nothing of.
func (e *export) each(ctx context.Context, rows rowWriter) error {
	for row, err := range e.op.Audit(ctx, e.filter) {
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if e.rows == 0 {
			if err := rows.begin(); err != nil {
				return err
			}
		}
		if err := rows.row(row); err != nil {
			return err
		}
		e.rows++
		e.progress(row.Position)
	}
	if e.rows > 0 {
		return nil
	}
	if err := known(ctx, e.op, e.filter); err != nil {
		return err
	}
	return rows.begin()
}

// progressStep is after how many rows a progress bar moves.
const progressStep = 4096

func (e *export) progress(at domain.Position) {
	if e.bar != nil && e.rows%progressStep == 0 {
		e.bar.show(control.RebuildProgress{Projection: "export", Events: uint64(min(at, e.last)), Total: uint64(e.last)})
	}
}

// toFile writes the rows to a new file, with a progress bar.
func (e *export) toFile(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fileIsThere(path)
	}
	if e.bar = e.app.progressBar(); e.bar.on {
		status, err := e.op.Status(ctx)
		if err != nil {
			return err
		}
		e.last = status.Position
	}
	err := writeNewFile(path, func(w io.Writer) error { return e.write(ctx, w) })
	e.bar.show(control.RebuildProgress{Projection: "export", Done: true})
	switch {
	case errors.Is(err, fs.ErrExist):
		return fileIsThere(path)
	case err != nil:
		return fmt.Errorf("export to %s: %w", path, err)
	}
	return e.app.report(struct {
		File   string `json:"file"`
		Events uint64 `json:"events"`
	}{path, e.rows}, "%s: %d events", path, e.rows)
}

func fileIsThere(path string) error {
	return &usageError{fmt.Errorf("%s is there already; name a new file", path)}
}
