package broker

import (
	"strings"
	"time"

	"rollcall/domain"
)

// turn is one stretch of work on the sequencer's goroutine, with the ledger and
// the directory to itself. A turn decides at most one command that can be
// refused, so that it never leaves half of its work behind.
type turn struct {
	seq   *sequencer
	batch *batch
	now   time.Time
}

func (t *turn) ledger() *domain.Ledger { return t.seq.ledger }

func (t *turn) directory() *directory { return t.seq.dir }

// decide decides c, folds what follows into the ledger and adds it to the batch.
// The records it gives are in place but not yet durable.
func (t *turn) decide(c domain.Command) ([]domain.Record, error) {
	events, err := domain.Decide(t.ledger(), c)
	if err != nil {
		return nil, err
	}
	at := t.ledger().Stamp(t.now)
	records := make([]domain.Record, len(events))
	for i, e := range events {
		t.forget(e)
		records[i] = domain.Record{Position: t.ledger().Position() + 1, Time: at, Event: e}
		t.directory().note(t.ledger(), records[i])
		t.ledger().Apply(records[i])
	}
	t.batch.Records = append(t.batch.Records, records...)
	return records, nil
}

// side adds a side record; an empty value is not worth one.
func (t *turn) side(p domain.Position, kind domain.SideKind, value []byte) {
	if len(value) > 0 {
		t.batch.Sides = append(t.batch.Sides, domain.Side{SideKey: domain.SideKey{Position: p, Kind: kind}, Value: value})
	}
}

// forget drops the sealed credentials of a session that ends with e.
func (t *turn) forget(e domain.Event) {
	switch e := e.(type) {
	case *domain.SessionIdledOut:
		t.forgetCredentials(e.Session)
	case *domain.SessionEnded:
		t.forgetCredentials(e.Session)
	}
}

func (t *turn) forgetCredentials(id domain.SessionID) {
	t.batch.Forget = append(t.batch.Forget, domain.SideKey{Position: domain.Position(id), Kind: domain.SideCredentials})
}

// maxUpstreamText is the most bytes kept of what an upstream server said.
const maxUpstreamText = 1024

// brief cuts what an upstream server said.
func brief(text string) string {
	if len(text) <= maxUpstreamText {
		return text
	}
	return strings.ToValidUTF8(text[:maxUpstreamText], "")
}
