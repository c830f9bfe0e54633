package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rollcall/adapters/local"
)

// accountsFile holds the accounts of the built-in service, in the data folder.
const accountsFile = "accounts.json"

func (a *app) userCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "user",
		Short: "Keep the accounts of the built-in service",
		Long: `Keeps the accounts of the built-in service (--kind local), which plays the
instant-messaging server where there is none. Changes hold at once, also for a
running appliance. Passwords come from a prompt, from --password-file, or from the
first line of standard input, and only their hashes are kept.`,
	})
	cmd.AddCommand(a.userAddCommand(), a.userRemoveCommand(), a.userPasswdCommand(), a.userListCommand())
	return cmd
}

// accounts gives the accounts in the data folder, which has to be there.
func (a *app) accounts() (*local.Store, error) {
	if _, err := os.Stat(a.data); err != nil {
		return nil, fmt.Errorf("look for the data folder: %w; name it with --data, or begin with 'rollcall user add'", err)
	}
	return local.OpenStore(filepath.Join(a.data, accountsFile), local.DefaultCost)
}

func (a *app) userAddCommand() *cobra.Command {
	var file, display string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an account",
		Example: `  rollcall user add ada --display "Ada Lovelace"
  rollcall user add bob --password-file /run/secrets/bob
  pwgen -s 20 1 | tee /dev/tty | rollcall user add carl`,
		Args: arguments("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := local.CheckName(args[0]); err != nil {
				return err
			}
			password, err := a.password(cmd.Context(), file, "Password of "+args[0]+": ", true)
			if err != nil {
				return err
			}
			if err := makeFolder(a.data); err != nil {
				return err
			}
			store, err := a.accounts()
			if err != nil {
				return err
			}
			if err := store.Add(local.NewAccount{Name: args[0], Display: display, Password: password}); err != nil {
				return err
			}
			return a.report(userDone{args[0]}, "account %s is added", args[0])
		},
	}
	cmd.Flags().StringVar(&display, "display", "", "the `NAME` that others see; NAME if not given")
	cmd.Flags().StringVar(&file, "password-file", "", "a `FILE` whose first line is the password")
	return cmd
}

// userDone is printed for an account that was worked on.
type userDone struct {
	Account string `json:"account"`
}

func (a *app) userRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME",
		Short:   "Remove an account; its sessions end within seconds",
		Example: "  rollcall user remove bob",
		Args:    arguments("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := a.accounts()
			if err != nil {
				return err
			}
			if err := store.Remove(args[0]); err != nil {
				return err
			}
			return a.report(userDone{args[0]}, "account %s is removed", args[0])
		},
	}
}

func (a *app) userPasswdCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "passwd NAME",
		Short:   "Change an account's password; its sessions go on",
		Example: "  rollcall user passwd ada",
		Args:    arguments("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := a.accounts()
			if err != nil {
				return err
			}
			password, err := a.password(cmd.Context(), file, "New password of "+args[0]+": ", true)
			if err != nil {
				return err
			}
			if err := store.SetPassword(args[0], password); err != nil {
				return err
			}
			return a.report(userDone{args[0]}, "the password of %s is changed", args[0])
		},
	}
	cmd.Flags().StringVar(&file, "password-file", "", "a `FILE` whose first line is the password")
	return cmd
}

func (a *app) userListCommand() *cobra.Command {
	type account struct {
		Name    string `json:"name"`
		Display string `json:"display"`
	}
	return &cobra.Command{
		Use:     "list",
		Short:   "List the accounts",
		Example: "  rollcall user list",
		Args:    arguments(),
		RunE: func(*cobra.Command, []string) error {
			store, err := a.accounts()
			if err != nil {
				return err
			}
			stored, err := store.List()
			if err != nil {
				return fmt.Errorf("list the accounts: %w", err)
			}
			accounts := make([]account, len(stored))
			for i, s := range stored {
				accounts[i] = account(s)
			}
			return list(a, []string{"NAME", "DISPLAY"}, accounts, func(u account) []string {
				return []string{name(u.Name), name(u.Display)}
			})
		},
	}
}
