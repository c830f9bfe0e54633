package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// Log is what the package needs of a log.
type Log interface {
	ID() domain.LogID
	Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error]
	Follow(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error]
	Side(ctx context.Context, key domain.SideKey) (value []byte, ok bool, err error)
}

// Rows gives the events of the log that pass the filter, in order. What it
// promises is written at [control.Operator].
func Rows(ctx context.Context, log Log, f control.AuditFilter) iter.Seq2[control.AuditRow, error] {
	return func(yield func(control.AuditRow, error) bool) {
		if err := checkTypes(f.Types); err != nil {
			yield(control.AuditRow{}, err)
			return
		}
		j := NewJoiner(ctx, log)
		for r, err := range records(ctx, log, f.Follow) {
			if err != nil {
				if !f.Follow || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
					yield(control.AuditRow{}, err)
				}
				return
			}
			if past(f, r) {
				return
			}
			row, wanted, err := j.row(r, f)
			if (wanted || err != nil) && !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func records(ctx context.Context, log Log, follow bool) iter.Seq2[domain.Record, error] {
	if follow {
		return log.Follow(ctx, 1)
	}
	return log.Read(ctx, 1)
}

// past tells whether r and all that follow lie behind the filter's span: times
// never go back.
func past(f control.AuditFilter, r domain.Record) bool {
	return !f.To.IsZero() && !r.Time.Before(f.To)
}

// matches tells whether a row passes the filter, the names in it included.
func matches(f control.AuditFilter, row control.AuditRow) bool {
	return (f.Person == "" || f.Person == row.Person || row.PersonID != 0 && f.Person == fmt.Sprint(row.PersonID)) &&
		(f.Service == "" || f.Service == row.Service) &&
		(f.Session == 0 || f.Session == row.Session) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, row.Type))
}

func checkTypes(names []string) error {
	var known []string
	for _, t := range domain.EventTypes() {
		known = append(known, t.String())
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return &domain.SettingError{Setting: "type", Problem: fmt.Sprintf("%.60q is no event", name), Next: "give one of " + strings.Join(known, ", ")}
		}
	}
	return nil
}
