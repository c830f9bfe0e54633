package verify

import (
	"errors"

	"rollcall/domain"
	"rollcall/eventstore"
)

// maxFindings is how many findings a report lists: a bound on memory.
const maxFindings = 1000

// Report says how a log is.
type Report struct {
	// Last is the end of the log as it tells itself.
	Last domain.Position
	// Events and Sides are how many records and side records could be read.
	Events, Sides uint64
	// Prefix is the end of what can be read from the beginning without a gap, up
	// to the end of a decision. [Report.Salvage] writes it.
	Prefix domain.Position
	// Replayed is the position up to which decisions were derived again.
	Replayed domain.Position
	// Findings are the first that were found, and Found is how many there are
	// of each kind.
	Findings []Finding
	Found    map[Kind]uint64

	things things
}

// Clean tells whether nothing was found.
func (r *Report) Clean() bool { return len(r.Found) == 0 }

// add notes a finding, in one with the last where the same damage goes on.
func (r *Report) add(f Finding) {
	if r.merged(f) {
		return
	}
	r.Found[f.Kind]++
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, f)
	}
}

func (r *Report) merged(f Finding) bool {
	if len(r.Findings) == 0 || f.Kind != Damage {
		return false
	}
	last := &r.Findings[len(r.Findings)-1]
	var before, now *eventstore.DamageError
	switch {
	case last.Kind != Damage || f.From != last.To && f.From != last.To+1:
		return false
	case !errors.As(last.Err, &before) || !errors.As(f.Err, &now) || before.Problem != now.Problem:
		return false
	}
	r.extend(f.To)
	return true
}

// extend has the last finding, which is damage, go on up to a position.
func (r *Report) extend(to domain.Position) {
	last := &r.Findings[len(r.Findings)-1]
	var damage *eventstore.DamageError
	if !errors.As(last.Err, &damage) {
		return
	}
	whole := *damage
	last.To, whole.To = to, to
	last.Err = &whole
}
