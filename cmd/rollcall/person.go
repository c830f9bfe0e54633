package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
)

func (a *app) personCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "person",
		Short: "Take a person's accounts away, or erase the person",
	})
	cmd.AddCommand(a.personBarCommand(), a.personEraseCommand())
	return cmd
}

func (a *app) personBarCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bar PERSON",
		Short: "Take all accounts from a person and end the sessions that use them",
		Long: `Takes all accounts from a person and ends the sessions that use them. The person's
devices stay enrolled; 'rollcall device enrol --person' permits accounts again.`,
		Example: `  rollcall person bar "Ada Lovelace"`,
		Args:    arguments("PERSON"),
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			if err := checkPerson(args[0]); err != nil {
				return err
			}
			if err := op.BarPerson(ctx, args[0]); err != nil {
				return fmt.Errorf("bar %s: %w", args[0], err)
			}
			return a.report(struct {
				Barred string `json:"barred"`
			}{args[0]}, "%s is barred; the person's sessions are over", args[0])
		}),
	}
}
