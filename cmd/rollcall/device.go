package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/domain"
)

func (a *app) deviceCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "device",
		Short: "Let devices in, and keep them out",
	})
	cmd.AddCommand(a.deviceEnrolCommand(), a.deviceListCommand(), a.deviceRevokeCommand())
	return cmd
}

// longestValidFor bounds how long a secret can lie about.
const longestValidFor = 30 * 24 * time.Hour

func (a *app) deviceEnrolCommand() *cobra.Command {
	var (
		e        control.Enrolment
		accounts []string
		validFor = defaultValidFor
	)
	cmd := &cobra.Command{
		Use:   "enrol --person PERSON --account SERVICE:ACCOUNT...",
		Short: "Make a one-time string with which a device can join",
		Long: `Permits the person the accounts, and prints a one-time string that holds the
server's key, its address and a secret. Whoever redeems it first, with
'rollcall client join', is that person's device from then on; hand it over the way
you would hand over a password.`,
		Example: `  rollcall device enrol --person "Ada Lovelace" --account office:ada
  rollcall device enrol --person bob --account office:bob --account chat:bob@example.org --valid-for 1h`,
		Args: arguments(),
		RunE: a.changing(func(ctx context.Context, op control.Operator, _ []string) (err error) {
			e.ValidFor = control.Duration(validFor)
			if e.Accounts, err = parseAccounts(accounts); err != nil {
				return err
			}
			if e.Person == "" {
				return &usageError{fmt.Errorf("--person is missing; say whose device it is")}
			}
			if err := checkPerson(e.Person); err != nil {
				return err
			}
			enrolled, err := op.EnrolDevice(ctx, e)
			if err != nil {
				return fmt.Errorf("enrol a device of %s: %w", e.Person, err)
			}
			err = a.report(enrolled, "%s\n\nValid once, until %s. On the device, which has to reach %s:\n  rollcall client join '%s'", enrolled.String, stamp(enrolled.Expires), enrolled.Address, enrolled.String)
			return errors.Join(err, a.warnOfStrangers(ctx, op, e.Accounts))
		}),
	}
	f := cmd.Flags()
	f.StringVar(&e.Person, "person", "", "the `PERSON` whose device it is")
	f.StringArrayVar(&accounts, "account", nil, "an account that the person may use, as `SERVICE:ACCOUNT`; repeat for more")
	f.Var(spanFlag{&validFor, longestValidFor}, "valid-for", "how long the string can be redeemed, at most 720h")
	f.StringVar(&e.Address, "address", "", "the `HOST:PORT` under which the device reaches the appliance, if not its own")
	return cmd
}

func parseAccounts(texts []string) ([]control.Account, error) {
	var accounts []control.Account
	for _, text := range texts {
		service, account, found := strings.Cut(text, ":")
		if !found || service == "" || account == "" {
			return nil, &usageError{fmt.Errorf("--account %.80q is not SERVICE:ACCOUNT; write one such as office:ada", text)}
		}
		if len(account) > maxPerson {
			return nil, &usageError{fmt.Errorf("--account %.80q...: the account has %d bytes; give one of at most %d", text, len(account), maxPerson)}
		}
		accounts = append(accounts, control.Account{Service: domain.ServiceName(service), Account: account})
	}
	return accounts, nil
}

func (a *app) deviceListCommand() *cobra.Command {
	header := []string{"DEVICE", "UUID", "PERSON", "LABEL", "ENROLLED", "STATE", "ACCOUNTS"}
	return &cobra.Command{
		Use:     "list",
		Short:   "List the enrolled devices",
		Example: "  rollcall device list",
		Args:    arguments(),
		RunE: a.reading(func(ctx context.Context, op control.Operator, _ []string) error {
			devices, err := op.Devices(ctx)
			if err != nil {
				return err
			}
			return list(a, header, devices, func(d control.Device) []string {
				state := "enrolled"
				if d.Revoked {
					state = "revoked"
				}
				return []string{
					fmt.Sprint(d.ID), d.UUID.String(), personName(d.Person, d.PersonID), name(d.Label), stamp(d.Enrolled), state, name(accountList(d.Accounts)),
				}
			})
		}),
	}
}

func accountList(accounts []control.Account) string {
	parts := make([]string, len(accounts))
	for i, a := range accounts {
		parts[i] = string(a.Service) + ":" + a.Account
	}
	return strings.Join(parts, " ")
}

func (a *app) deviceRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke DEVICE",
		Short: "Take a device's key away and end its sessions",
		Long:  "Takes a device's key away and ends its sessions. DEVICE is its number or its UUID.",
		Example: `  rollcall device revoke 7
  rollcall device revoke 2f0c3c5e-0f9c-5d3a-8f61-3e0a4c1f7b52`,
		Args: arguments("DEVICE"),
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			id, err := parsePosition(ctx, op, args[0])
			if err != nil {
				return err
			}
			if err := op.RevokeDevice(ctx, domain.DeviceID(id)); err != nil {
				return fmt.Errorf("revoke device %s: %w", args[0], err)
			}
			return a.report(removed{args[0]}, "device %s is revoked; its sessions are over", args[0])
		}),
	}
}
