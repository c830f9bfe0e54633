package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/domain"
)

func (a *app) serviceCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "service",
		Short: "Set up the instant-messaging services that people may log in to",
	})
	cmd.AddCommand(a.serviceSetCommand(), a.serviceUnsetCommand(), a.serviceListCommand(), a.serviceRemoveCommand())
	return cmd
}

func (a *app) serviceSetCommand() *cobra.Command {
	var change control.ServiceChange
	cmd := &cobra.Command{
		Use:   "set NAME [flags]",
		Short: "Make a service, or change what the flags name of one",
		Long: `Makes the service, or changes what the flags name; everything else stays as it is.

Only --kind is needed for a new service. Without a maximum the protocol's total is
what limits the sessions: a device that comes then shows Failed (300), and with a
maximum it shows Server Busy. A full house with an idle timeout first logs out
whoever has been silent or out of coverage for that long.`,
		Example: `  rollcall service set office --kind local --max-sessions 500 --idle-timeout 20m
  rollcall service set chat --kind xmpp --address im.example.org:5222 --option ca-file=/etc/ssl/im.pem
  rollcall service set office --evict fewest`,
		Args: arguments("NAME"),
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			change.Name = domain.ServiceName(args[0])
			service, err := op.SetService(ctx, change)
			if err != nil {
				return fmt.Errorf("set service %.80s: %w", args[0], err)
			}
			return a.report(service, "service %s is set: %s", service.Name, describe(service))
		}),
	}
	f := cmd.Flags()
	f.Var(textFlag[domain.Kind]{&change.Kind, "KIND"}, "kind", "the protocol: "+anyOf(kinds()))
	f.Var(textFlag[string]{&change.Address, "HOST:PORT"}, "address", "the upstream server")
	f.Var(countFlag{&change.MaxSessions}, "max-sessions", "the most sessions at once")
	f.Var(durationFlag{&change.IdleTimeout}, "idle-timeout", "how long idle until a full house may log a session out")
	f.Var(durationFlag{&change.InactivityTimeout}, "inactivity-timeout", "how long idle until a session is ended in any case")
	f.Var(textFlag[string]{&change.Evict, "WHOM"}, "evict", "whom a full house logs out: all who are idle, or the fewest needed")
	f.Var(countFlag{&change.ProtocolTotal}, "protocol-total", "the total of sessions, in place of the protocol's own")
	f.StringToStringVar(&change.Options, "option", nil, "a setting of the connector's own as `KEY=VALUE`, such as ca-file=PATH")
	f.Lookup("option").DefValue = "" // the library would show an empty list
	completes(cmd, "kind", kinds())
	return cmd
}

func (a *app) serviceUnsetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "unset NAME SETTING...",
		Short: "Unset settings of a service: limits, timeouts, options",
		Example: `  rollcall service unset office max-sessions idle-timeout
  rollcall service unset chat ca-file`,
		Args: func(cmd *cobra.Command, args []string) error {
			return arguments("NAME", "SETTING")(cmd, args[:min(len(args), 2)])
		},
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			service, err := unset(ctx, op, domain.ServiceName(args[0]), args[1:])
			if err != nil {
				return fmt.Errorf("unset settings of service %.80s: %w", args[0], err)
			}
			return a.report(service, "service %s is set: %s", service.Name, describe(service))
		}),
	}
}

func unset(ctx context.Context, op control.Operator, name domain.ServiceName, settings []string) (control.Service, error) {
	if err := needService(ctx, op, name); err != nil {
		return control.Service{}, err
	}
	return op.SetService(ctx, control.ServiceChange{Name: name, Unset: settings})
}

func (a *app) serviceListCommand() *cobra.Command {
	header := []string{"NAME", "KIND", "ADDRESS", "MAX", "TOTAL", "IDLE", "INACTIVITY", "EVICT", "SEATS", "OPTIONS"}
	return &cobra.Command{
		Use:     "list",
		Short:   "List the services and their settings",
		Example: "  rollcall service list -o json",
		Args:    arguments(),
		RunE: a.reading(func(ctx context.Context, op control.Operator, _ []string) error {
			services, err := op.Services(ctx)
			if err != nil {
				return err
			}
			return list(a, header, services, func(s control.Service) []string {
				return []string{
					string(s.Name), string(s.Kind), name(s.Address), orDash(s.MaxSessions), orDash(s.Total),
					orDash(s.IdleTimeout), orDash(s.InactivityTimeout), s.Evict, fmt.Sprint(s.Seats), name(options(s.Options)),
				}
			})
		}),
	}
}

func (a *app) serviceRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME",
		Short:   "Remove a service and end its sessions",
		Example: "  rollcall service remove office",
		Args:    arguments("NAME"),
		RunE: a.changing(func(ctx context.Context, op control.Operator, args []string) error {
			if err := op.RemoveService(ctx, domain.ServiceName(args[0])); err != nil {
				return fmt.Errorf("remove service %.80s: %w", args[0], err)
			}
			return a.report(removed{args[0]}, "service %s is removed", args[0])
		}),
	}
}

// removed is printed for what is gone.
type removed struct {
	Removed string `json:"removed"`
}

// needService gives domain.ErrUnknownService where there is no such service.
func needService(ctx context.Context, op control.Operator, name domain.ServiceName) error {
	services, err := op.Services(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(services, func(s control.Service) bool { return s.Name == name }) {
		return domain.ErrUnknownService
	}
	return nil
}

// describe says in one line what holds for a service.
func describe(s control.Service) string {
	parts := []string{"kind " + string(s.Kind)}
	add := func(set bool, text string, args ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(text, args...))
		}
	}
	add(s.Address != "", "at %s", s.Address)
	add(s.MaxSessions != nil, "at most %s sessions", orDash(s.MaxSessions))
	add(s.MaxSessions == nil, "no maximum")
	add(s.Total != nil, "total %s", orDash(s.Total))
	add(s.IdleTimeout != nil, "idle timeout %s", orDash(s.IdleTimeout))
	add(s.InactivityTimeout != nil, "inactivity timeout %s", orDash(s.InactivityTimeout))
	add(s.IdleTimeout != nil, "logs out %s", s.Evict)
	add(len(s.Options) > 0, "%s", options(s.Options))
	return strings.Join(parts, ", ")
}

func options(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, key+"="+m[key])
	}
	return strings.Join(parts, " ")
}
