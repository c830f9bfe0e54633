package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/adapters/device"
)

func (a *app) clientLoginCommand(f *clientFlags) *cobra.Command {
	var service, account, file string
	cmd := &cobra.Command{
		Use:   "login --service SERVICE --account ACCOUNT",
		Short: "Log in, and stay until the session ends",
		Long: `Logs in and stays: messages come and go until the session ends. The password comes
from a prompt, from --password-file, or from the first line of standard input.`,
		Example: `  rollcall client login --service office --account ada
  rollcall client login --service office --account ada --password-file secret -o json --stay </dev/null`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if service == "" || account == "" {
				return &usageError{errors.New("--service or --account is missing; say where to log in, and as whom")}
			}
			identity, client, err := f.open()
			if err != nil {
				return err
			}
			defer identity.Close()
			password, err := a.password(cmd.Context(), file, "Password of "+account+" on "+service+": ", false)
			if err != nil {
				return err
			}
			s, err := client.Login(cmd.Context(), service, account, password)
			if err != nil {
				return a.refused(err)
			}
			a.tellLeft(identity)
			return a.converse(cmd.Context(), s, "accepted", f.stay)
		},
	}
	cmd.Flags().StringVar(&service, "service", "", "the `SERVICE` to log in to")
	cmd.Flags().StringVar(&account, "account", "", "the `ACCOUNT` to log in with")
	cmd.Flags().StringVar(&file, "password-file", "", "a `FILE` whose first line is the password")
	f.sessionFlags(cmd)
	return cmd
}

func (a *app) clientResumeCommand(f *clientFlags) *cobra.Command {
	var service string
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Take up a session again that was left or lost",
		Example: `  rollcall client resume
  rollcall client resume --service office --give-up 10m`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			identity, client, err := f.open()
			if err != nil {
				return err
			}
			defer identity.Close()
			if service == "" {
				if service, err = onlySession(identity); err != nil {
					return err
				}
			}
			s, err := client.Resume(service)
			if err != nil {
				return clientError(err)
			}
			return a.converse(cmd.Context(), s, "resumed", f.stay)
		},
	}
	cmd.Flags().StringVar(&service, "service", "", "the `SERVICE` of the session; needed where there are several")
	f.sessionFlags(cmd)
	return cmd
}

// onlySession gives the service of the one session that an identity holds.
func onlySession(i *device.Identity) (string, error) {
	sessions := i.Sessions()
	switch len(sessions) {
	case 0:
		return "", clientError(device.ErrNoSession)
	case 1:
		return sessions[0].Service, nil
	}
	text := "this device has several sessions; choose one with"
	for _, s := range sessions {
		text += fmt.Sprintf(" --service %s", s.Service)
	}
	return "", &usageError{errors.New(text)}
}
