package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"rollcall/adapters/control"
)

// known checks that the log knows whom a filter names, now or in the past: an
// empty answer about a name that was misspelt would look like an innocent one.
func known(ctx context.Context, op control.Operator, f control.AuditFilter) error {
	for _, named := range []struct {
		given  bool
		filter control.AuditFilter
		err    error
	}{
		{f.Service != "", control.AuditFilter{Service: f.Service}, fmt.Errorf("service %q: the log %w", f.Service, errNeverSeen)},
		{f.Person != "", control.AuditFilter{Person: f.Person}, fmt.Errorf("person %q: the log %w", f.Person, errNeverSeen)},
		{f.Session != 0, control.AuditFilter{Session: f.Session}, fmt.Errorf("session %d: the log %w", f.Session, errNeverSeen)},
	} {
		if !named.given {
			continue
		}
		if some, err := anyRow(ctx, op, named.filter); err != nil || !some {
			return cmp.Or(err, named.err)
		}
	}
	return nil
}

// errNeverSeen tells that nothing in the log has that name.
var errNeverSeen = &exitError{exitUnknown, errors.New("has nothing of that name; see 'rollcall service list', 'device list' and 'audit log'")}

func anyRow(ctx context.Context, op control.Operator, f control.AuditFilter) (bool, error) {
	for _, err := range op.Audit(ctx, f) {
		if err != nil {
			return false, fmt.Errorf("read the audit log: %w", err)
		}
		return true, nil
	}
	return false, nil
}
