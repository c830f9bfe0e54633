package why

import (
	"context"
	"fmt"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/domain"
)

// Log is what the package needs of a log.
type Log interface {
	audit.Log
	Last() domain.Position
}

// Of gives the account of the event at a position. What it promises is written at
// [control.Operator]; a log that cannot be read up to there gives its own error.
func Of(ctx context.Context, log Log, q control.WhyQuery) (control.Why, error) {
	asked, err := recordAt(ctx, log, q.Position)
	if err != nil {
		return control.Why{}, err
	}
	t := newTeller(ctx, log, asked, q.Brief)
	for r, err := range log.Read(ctx, 1) {
		if err != nil {
			return control.Why{}, err
		}
		if more, err := t.next(r); err != nil || !more {
			return t.why, err
		}
	}
	return t.why, t.end()
}

// recordAt looks one record up, so that the pass from the beginning knows which
// session it is about.
func recordAt(ctx context.Context, log Log, p domain.Position) (domain.Record, error) {
	if p > 0 {
		for r, err := range log.Read(ctx, p) {
			return r, err
		}
	}
	return domain.Record{}, fmt.Errorf("position %d: %w; the log ends at %d, and 'rollcall audit log' prints what it holds", p, control.ErrUnknownEvent, log.Last())
}
