package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/domain"
)

func (a *app) sessionsCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "sessions",
		Short: "See who is logged in, and end sessions",
	})
	cmd.AddCommand(a.sessionsListCommand(), a.sessionsEndCommand(), a.sessionsCountCommand())
	return cmd
}

var sessionHeader = []string{"SESSION", "UUID", "SERVICE", "ACCOUNT", "PERSON", "DEVICE", "STATE", "SINCE", "HEARD"}

func sessionRow(s control.Session) []string {
	device := fmt.Sprint(s.Device)
	if s.DeviceLabel != "" {
		device += " " + printable(s.DeviceLabel)
	}
	return []string{
		fmt.Sprint(s.ID), s.UUID.String(), string(s.Service), name(s.Account), personName(s.Person, s.PersonID), device,
		string(s.State), stamp(s.Since), stamp(s.Heard),
	}
}

func (a *app) sessionsListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the pending logins and the live sessions",
		Example: "  rollcall sessions list -o json",
		Args:    arguments(),
		RunE: a.reading(func(ctx context.Context, op control.Operator, _ []string) error {
			sessions, err := op.Sessions(ctx)
			if err != nil {
				return err
			}
			a.mindStopped(op, len(sessions))
			return list(a, sessionHeader, sessions, sessionRow)
		}),
	}
}

// mindStopped reminds whoever reads of sessions that the appliance does not run:
// their states are those at the end of the log.
func (a *app) mindStopped(op control.Operator, sessions int) {
	if _, stopped := op.(*appliance); stopped && sessions > 0 {
		fmt.Fprintln(a.errOut, "rollcall: the appliance is not running; this is how things stood at the end of its log")
	}
}

func (a *app) sessionsEndCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "end SESSION",
		Short: "End a session; its device is told",
		Long:  "Ends a session. SESSION is its number or its UUID. The device is told that an administrator ended it.",
		Example: `  rollcall sessions end 42
  rollcall sessions end 2f0c3c5e-0f9c-5d3a-8f61-3e0a4c1f7b52`,
		Args: arguments("SESSION"),
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			id, err := parsePosition(ctx, op, args[0])
			if err != nil {
				return err
			}
			if err := op.EndSession(ctx, domain.SessionID(id)); err != nil {
				return fmt.Errorf("end session %s: %w", args[0], err)
			}
			return a.report(struct {
				Ended domain.Position `json:"ended"`
			}{id}, "session %d is ended", id)
		}),
	}
}

func (a *app) sessionsCountCommand() *cobra.Command {
	header := []string{"SERVICE", "SEATS", "LIMIT", "COVERED", "OUT-OF-COVERAGE", "PENDING"}
	return &cobra.Command{
		Use:     "count",
		Short:   "Count the seats of each service, by state",
		Example: "  rollcall sessions count",
		Args:    arguments(),
		RunE: a.reading(func(ctx context.Context, op control.Operator, _ []string) error {
			counts, err := op.Count(ctx)
			if err != nil {
				return err
			}
			live := 0
			for _, c := range counts {
				live += int(c.Seats)
			}
			a.mindStopped(op, live)
			return list(a, header, counts, func(c control.Count) []string {
				return []string{
					string(c.Service), fmt.Sprint(c.Seats), orDash(c.Limit),
					fmt.Sprint(c.Covered), fmt.Sprint(c.OutOfCoverage), fmt.Sprint(c.Pending),
				}
			})
		}),
	}
}
