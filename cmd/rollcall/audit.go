package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
)

func (a *app) auditCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "audit",
		Short: "Read what was decided, and how things stood",
		Long: `Reads the log: every decision, in order, with the names of whom it concerned.
It works beside a running appliance, on the data folder of a stopped one, and on a
copy or a backup file of either on any machine.`,
	})
	cmd.AddCommand(a.auditLogCommand(), a.auditAtCommand(), a.auditWhyCommand(),
		a.auditExportCommand(), a.auditVerifyCommand(), a.auditReplayCommand())
	return cmd
}

func (a *app) auditLogCommand() *cobra.Command {
	var (
		filter auditFlags
		follow bool
	)
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Print the events",
		Example: `  rollcall audit log --person "Ada Lovelace" --from 24h
  rollcall audit log --type login-rejected --type session-idled-out --follow
  rollcall audit log --session 42 -o json`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var f control.AuditFilter
			err := a.reading(func(ctx context.Context, op control.Operator, _ []string) (err error) {
				if f, err = filter.read(ctx, op); err != nil {
					return err
				}
				if follow {
					return known(ctx, op, f)
				}
				return a.printAudit(ctx, op, f)
			})(cmd, args)
			if err != nil || !follow {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.followAudit(ctx, f)
		},
	}
	filter.add(cmd)
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with new events as they come")
	return cmd
}

func (a *app) printAudit(ctx context.Context, op control.Operator, f control.AuditFilter) error {
	rows := 0
	for row, err := range op.Audit(ctx, f) {
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if rows == 0 && !a.output.json {
			auditHeader(a.out)
		}
		if err := a.printRow(row); err != nil {
			return err
		}
		rows++
	}
	if rows > 0 {
		return nil
	}
	if err := known(ctx, op, f); err != nil {
		return err
	}
	if !a.output.json {
		auditHeader(a.out)
	}
	return nil
}

func (a *app) followAudit(ctx context.Context, f control.AuditFilter) error {
	if !a.output.json {
		auditHeader(a.out)
	}
	return a.follow(ctx, f, a.printRow)
}

func (a *app) printRow(row control.AuditRow) error {
	if a.output.json {
		return writeJSON(a.out, row)
	}
	return auditLine(a.out, row)
}

// The columns are of fixed width: rows are printed as they come, and the widest
// of them is not known.
const auditColumns = "%8s  %-24s  %-19s  %7s  %s\n"

func auditHeader(w io.Writer) {
	fmt.Fprintf(w, auditColumns, "POSITION", "TIME", "EVENT", "SESSION", "DETAILS")
}

func auditLine(w io.Writer, row control.AuditRow) error {
	session := "-"
	if row.Session != 0 {
		session = fmt.Sprint(row.Session)
	}
	line := fmt.Sprintf(auditColumns, fmt.Sprint(row.Position), stamp(row.Time), row.Type, session, auditDetails(row))
	_, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")) // there may be no details
	return err
}

// auditDetails says whom and what an event concerns, and its own fields.
func auditDetails(row control.AuditRow) string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+"="+quoted(value))
		}
	}
	add("service", string(row.Service))
	add("account", row.Account)
	add("person", cmp.Or(row.Person, personNumber(row.PersonID)))
	if row.Device != 0 {
		add("device", fmt.Sprint(row.Device))
	}
	add("label", row.Label)
	parts = append(parts, fieldParts(row.Fields)...)
	return strings.Join(parts, " ")
}

func (a *app) auditAtCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "at TIME",
		Short: "List the sessions as they were at a time in the past",
		Example: `  rollcall audit at 2026-03-01T09:30:00Z
  rollcall audit at 15m`,
		Args: arguments("TIME"),
		RunE: a.reading(func(ctx context.Context, op control.Operator, args []string) error {
			at, err := parseTime(args[0], time.Now())
			if err != nil {
				return &usageError{err}
			}
			sessions, err := op.SessionsAt(ctx, at)
			if err != nil {
				return fmt.Errorf("sessions at %s: %w", stamp(at), err)
			}
			return list(a, sessionHeader, sessions, sessionRow)
		}),
	}
}
