package why

import (
	"context"
	"time"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/domain"
)

// teller takes a log's records in and makes the account of one event of them.
type teller struct {
	asked   domain.Position
	session domain.SessionID // of the event that is asked about; zero where it has none
	log     domain.LogID
	brief   bool

	ledger *domain.Ledger // in front of the open decision
	names  *audit.Joiner
	set    map[domain.ServiceID]mark
	open   []domain.Record // the records so far of the decision under way
	course course
	why    control.Why
}

// mark is where a service's settings were last set.
type mark struct {
	position domain.Position
	time     time.Time
}

func newTeller(ctx context.Context, log Log, asked domain.Record, brief bool) *teller {
	return &teller{
		asked: asked.Position, session: audit.SessionOf(asked), log: log.ID(), brief: brief,
		ledger: domain.NewLedger(), names: audit.NewJoiner(ctx, log), set: make(map[domain.ServiceID]mark),
	}
}

// next takes in a record; more is false when the account is complete.
func (t *teller) next(r domain.Record) (more bool, err error) {
	if len(t.open) == 0 || continues(t.open, r) {
		t.open = append(t.open, r)
		return true, nil
	}
	if err := t.decision(); err != nil {
		return false, err
	}
	t.open = append(t.open[:0], r)
	if t.over() {
		t.finish()
		return false, nil
	}
	return true, nil
}

// end tells that there are no more records.
func (t *teller) end() error {
	err := t.decision()
	t.finish()
	return err
}

// over tells whether nothing that follows is about what is asked.
func (t *teller) over() bool {
	if t.ledger.Position() < t.asked {
		return false
	}
	_, seated := t.ledger.Seat(t.session)
	return !seated
}

func (t *teller) finish() {
	if t.session == 0 {
		return
	}
	t.why.Session = &control.WhySession{
		ID: t.session, UUID: t.log.UUID(domain.Position(t.session)), State: t.state(),
		Course: t.course.rows, Omitted: t.course.omitted,
	}
}

func (t *teller) state() control.State {
	if seat, seated := t.ledger.Seat(t.session); seated {
		return stateOf(seat)
	}
	last := t.course.rows[len(t.course.rows)-1]
	if last.Type == domain.TypeLoginRejected.String() {
		return control.StateRefused
	}
	return control.StateEnded
}

func stateOf(s domain.Seat) control.State {
	switch {
	case !s.Live:
		return control.StatePending
	case s.Covered:
		return control.StateCovered
	}
	return control.StateOutOfCoverage
}

// decision takes in the records of one decision, and tells of it where it is
// about what is asked.
func (t *teller) decision() error {
	at := subject(t.open, t.session, t.asked)
	if at < 0 {
		return t.fold(nil)
	}
	v := t.view(at)
	if err := t.fold(v); err != nil {
		return err
	}
	told, err := t.tell(v)
	if err == nil {
		t.why.Decisions = append(t.why.Decisions, told)
	}
	return err
}

// fold takes the open decision into the ledger, and makes rows of what is told
// of: of nothing but the session's own events where v is nil.
func (t *teller) fold(v *view) error {
	for i, r := range t.open {
		mine := t.session != 0 && audit.SessionOf(r) == t.session
		if !mine && r.Position != t.asked && (v == nil || !v.needs(i)) {
			t.names.Pass(r)
		} else if err := t.row(v, i, mine); err != nil {
			return err
		}
		if r.Event.Type() == domain.TypeServiceConfigured {
			t.set[r.Event.(*domain.ServiceConfigured).Service] = mark{r.Position, r.Time}
		}
		t.ledger.Apply(r)
	}
	return nil
}

// row makes the row of one record of the open decision, and puts it wherever it
// is told.
func (t *teller) row(v *view, i int, mine bool) error {
	row, err := t.names.Row(t.open[i])
	if err != nil {
		return err
	}
	if v != nil {
		v.rows[i] = row
	}
	if mine {
		t.course.add(row)
	}
	if row.Position == t.asked {
		t.why.Event = row
	}
	return nil
}
