package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func (a *app) doubleCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "double",
		Short: "Run a stand-in for an instant-messaging server, to try things on",
		Long: `Runs a stand-in for an instant-messaging server, in memory, so that Rollcall or any
client can be tried without the real one. It is no server for daily use: it keeps
passwords as they are and forgets everything when it ends.`,
	})
	cmd.AddCommand(a.doubleGroupWiseCommand(), a.doubleSametimeCommand())
	return cmd
}

// doubleFlags are what every double is told.
type doubleFlags struct {
	listen   string
	accounts []pair
	contacts []pair
}

// register adds the flags to a command.
func (d *doubleFlags) register(cmd *cobra.Command, listen string) {
	cmd.Flags().StringVar(&d.listen, "listen", listen, "where clients connect: `HOST:PORT`")
	cmd.Flags().Var(&pairsFlag{&d.accounts, "NAME:PASSWORD"}, "account", "somebody who can log in; repeat it for more")
	cmd.Flags().Var(&pairsFlag{&d.contacts, "NAME:NAME"}, "contact", "the first has the second as a contact; without any, everybody has everybody")
}

// check gives a *usageError where the flags do not fit together.
func (d *doubleFlags) check() error {
	names := make(map[string]bool)
	for i, account := range d.accounts {
		if account.left == "" || account.right == "" || strings.ContainsAny(account.left, " ,=") {
			return &usageError{fmt.Errorf("--account: number %d is not of the form NAME:PASSWORD", i+1)}
		}
		if names[account.left] {
			return &usageError{fmt.Errorf("--account: %.80q is given twice", account.left)}
		}
		names[account.left] = true
	}
	if len(names) == 0 {
		return &usageError{fmt.Errorf("nobody could log in; give --account NAME:PASSWORD, for example --account alice:secret")}
	}
	for i, contact := range d.contacts {
		if contact.left == "" || contact.right == "" {
			return &usageError{fmt.Errorf("--contact: number %d is not of the form NAME:NAME", i+1)}
		}
		for _, name := range []string{contact.left, contact.right} {
			if !names[name] {
				return &usageError{fmt.Errorf("--contact %s:%s: there is no account %.80q; give --account %s:PASSWORD too", contact.left, contact.right, name, name)}
			}
		}
	}
	return nil
}

// contactsOf gives whom somebody has as contacts.
func (d *doubleFlags) contactsOf(name string) []string {
	var contacts []string
	for _, contact := range d.contacts {
		if contact.left == name && !slices.Contains(contacts, contact.right) {
			contacts = append(contacts, contact.right)
		}
	}
	if len(d.contacts) > 0 {
		return contacts
	}
	for _, account := range d.accounts {
		if account.left != name {
			contacts = append(contacts, account.left)
		}
	}
	return contacts
}

// double is a stand-in that serves clients.
type double interface {
	Serve(net.Listener) error
	Close()
}

// serveDouble runs a double until it is interrupted. ready tells what is there.
func (d *doubleFlags) serveDouble(ctx context.Context, server double, l net.Listener, ready func() error) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	if err := ready(); err != nil {
		server.Close()
		return err
	}
	select {
	case err := <-served:
		server.Close()
		return err
	case <-ctx.Done():
		server.Close()
		return <-served
	}
}

// pair is two words with a colon between them.
type pair struct{ left, right string }

// pairsFlag is a flag that can be repeated.
type pairsFlag struct {
	pairs *[]pair
	word  string
}

func (f *pairsFlag) String() string { return "" }

// Set takes any text; whether it will do is for check to say, which shows no
// password.
func (f *pairsFlag) Set(text string) error {
	left, right, _ := strings.Cut(text, ":")
	*f.pairs = append(*f.pairs, pair{left, right})
	return nil
}

// Type gives the word for the value in the help.
func (f *pairsFlag) Type() string { return f.word }
