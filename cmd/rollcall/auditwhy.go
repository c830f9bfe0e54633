package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
)

func (a *app) auditWhyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why ID",
		Short: "Tell why somebody was refused, let in or logged out",
		Long: `Tells what was decided on a login or a session, from the log alone: by which rule and
on what evidence, with the settings that held and where they were set, for whom a
session made room, who held the seats, and whether the rules give the same again.
ID is the number or the UUID of a session or a login, or of any event of it or of
another one, such as the position of a login-rejected or a session-idled-out.

With -o json it is one object, which also lists everybody who held a seat.`,
		Example: `  rollcall audit log --type login-rejected --person "Ada Lovelace" --from 24h
  rollcall audit why 1042
  rollcall audit why 1042 --data backup.db -o json`,
		Args: arguments("ID"),
		RunE: a.reading(func(ctx context.Context, op control.Operator, args []string) error {
			p, err := parsePosition(ctx, op, args[0])
			if err != nil {
				return err
			}
			told, err := op.Why(ctx, control.WhyQuery{Position: p, Brief: !a.output.json})
			switch {
			case err != nil:
				return fmt.Errorf("tell why: %w", err)
			case a.output.json:
				return writeJSON(a.out, told)
			}
			_, err = fmt.Fprint(a.out, whyText(told))
			return err
		}),
	}
}
