package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
)

func (a *app) personEraseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "erase PERSON",
		Short: "Delete a person's personal data for good",
		Long: `Takes all accounts and devices from a person, which ends the person's sessions, and
deletes the personal data: name, account names, the devices' labels and keys,
addresses, sealed credentials, and what upstream servers said. The events stay and
name nobody. This cannot be undone.

Until 'rollcall compact' has written the log anew, traces remain in free parts of its
files. Backups and copies made before hold the data as before. An account of the
built-in service is removed with 'rollcall user remove'.`,
		Example: `  rollcall person erase "Ada Lovelace"`,
		Args:    arguments("PERSON"),
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			if err := checkPerson(args[0]); err != nil {
				return err
			}
			done, err := op.ErasePerson(ctx, args[0])
			if err != nil {
				return fmt.Errorf("erase %s: %w", args[0], err)
			}
			err = a.report(done, "%d records with personal data are deleted, %d devices revoked; events go on to call the person %d.\nTraces remain in the files until 'rollcall compact', and in older backups.", done.Records, done.Devices, done.Person)
			return errors.Join(err, a.tellRemaining(done.Accounts))
		}),
	}
}

// tellRemaining tells which accounts of the built-in service are still there: they
// may be other people's, too.
func (a *app) tellRemaining(accounts []string) error {
	if len(accounts) == 0 {
		return nil
	}
	there, err := a.accountNames()
	for _, account := range accounts {
		if there[account] {
			fmt.Fprintf(a.errOut, "rollcall: the account %s of the built-in service is still there; if nobody else uses it: 'rollcall user remove %[1]s'\n", printable(account))
		}
	}
	return err
}
