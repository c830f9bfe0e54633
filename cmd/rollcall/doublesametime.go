package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
)

// doubleSametime is what `double sametime` prints when it is ready.
type doubleSametime struct {
	Address string `json:"address"`
}

func (a *app) doubleSametimeCommand() *cobra.Command {
	var d doubleFlags
	var maxSessions int
	var trace, single bool
	cmd := &cobra.Command{
		Use:   "sametime",
		Short: "Stand in for a Sametime community server",
		Long: `Stands in for a Sametime community server, in the protocol's own form without TLS.
Clients log in by a key exchange, or in the clear if they insist.`,
		Example: `  rollcall double sametime --account alice:a --account bob:b
  rollcall double sametime --listen :1533 --account alice:a --account bob:b --contact alice:bob --trace`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.check(); err != nil {
				return err
			}
			if maxSessions < 0 {
				return &usageError{fmt.Errorf("--max-sessions: %d is below zero", maxSessions)}
			}
			l, err := listen(d.listen, "--listen")
			if err != nil {
				return err
			}
			config := stserver.Config{MaxSessions: maxSessions, SingleLogin: single, Accounts: d.sametimeAccounts()}
			if trace {
				config.Observe = traceSametime(a.errOut)
			}
			return d.serveDouble(cmd.Context(), stserver.New(config), l, func() error {
				return a.report(doubleSametime{l.Addr().String()},
					"a Sametime double listens on %s; for Rollcall:\n  rollcall service set community --kind sametime --address %s", l.Addr(), reachable(l.Addr().String()))
			})
		},
	}
	d.register(cmd, "127.0.0.1:1533")
	cmd.Flags().Var(numberFlag{&maxSessions}, "max-sessions", "how many sessions are taken; more are told that the server is full; 0 takes any number")
	cmd.Flags().BoolVar(&single, "single-login", false, "a person's new login ends the older ones")
	cmd.Flags().BoolVar(&trace, "trace", false, "show every message, without passwords, on standard error")
	return cmd
}

func (d *doubleFlags) sametimeAccounts() []stserver.Account {
	var accounts []stserver.Account
	for _, account := range d.accounts {
		g := wire.ContactGroup{ID: "Contacts", Kind: wire.GroupPrivate, Title: "Contacts", Open: true}
		for _, contact := range d.contactsOf(account.left) {
			g.Users = append(g.Users, wire.ContactUser{ID: contact, Kind: wire.UserInternal, Name: contact})
		}
		accounts = append(accounts, stserver.Account{Name: account.left, Password: account.right, Contacts: wire.ContactList{Groups: []wire.ContactGroup{g}}})
	}
	return accounts
}

// traceSametime writes each message on a line, with the number of its client.
func traceSametime(to io.Writer) func(client uint64, side wire.Side, frame []byte) {
	arrows := map[wire.Side]string{wire.FromClient: "→", wire.FromServer: "←"}
	return func(client uint64, side wire.Side, frame []byte) {
		m, err := wire.Decode(bytes.Clone(frame))
		if err != nil {
			fmt.Fprintln(to, client, arrows[side], err)
			return
		}
		fmt.Fprintln(to, client, arrows[side], wire.Trace(m))
	}
}
