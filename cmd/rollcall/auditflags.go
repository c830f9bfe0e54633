package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// auditFlags are the flags that say which events are wanted.
type auditFlags struct {
	filter  control.AuditFilter
	service string
	session string
}

func (f *auditFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(timeFlag{&f.filter.From}, "from", "events at or after that time, such as 2026-03-01T09:30:00Z, or 15m for as long ago")
	flags.Var(timeFlag{&f.filter.To}, "to", "events before that time")
	flags.StringVar(&f.filter.Person, "person", "", "events that concern the `PERSON`, by name, or by number where the name is erased")
	flags.StringVar(&f.service, "service", "", "events that concern the `SERVICE`")
	flags.StringVar(&f.session, "session", "", "events of the `SESSION`, by its number or UUID")
	flags.StringArrayVar(&f.filter.Types, "type", nil, "events of the type `EVENT`, such as login-rejected; repeat for more")
	completes(cmd, "type", eventTypes())
}

func eventTypes() []string {
	var names []string
	for _, t := range domain.EventTypes() {
		names = append(names, t.String())
	}
	return names
}

// read gives the filter; a UUID of a session is looked for in the log.
func (f *auditFlags) read(ctx context.Context, op control.Operator) (control.AuditFilter, error) {
	filter := f.filter
	filter.Service = domain.ServiceName(f.service)
	if err := checkFilter(filter); err != nil {
		return filter, err
	}
	if f.session == "" {
		return filter, nil
	}
	p, err := parsePosition(ctx, op, f.session)
	filter.Session = domain.SessionID(p)
	return filter, err
}

// checkFilter tells what nothing in any log could pass.
func checkFilter(f control.AuditFilter) error {
	if !f.From.IsZero() && !f.To.IsZero() && f.To.Before(f.From) {
		return &usageError{fmt.Errorf("--to lies before --from: nothing is from %s to %s", stamp(f.From), stamp(f.To))}
	}
	if err := checkPerson(f.Person); err != nil {
		return err
	}
	known := eventTypes()
	for _, t := range f.Types {
		if !slices.Contains(known, t) {
			return &usageError{fmt.Errorf("--type %.60q is no event; give one of %s", t, strings.Join(known, ", "))}
		}
	}
	return nil
}
