package verify

import (
	"context"
	"errors"
	"iter"
	"time"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// Log is what is read of a log: part of [eventstore.Log].
type Log interface {
	Last() domain.Position
	Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error]
	eventstore.SideReader
}

// chained is a log that has a chain of digests over its records, as boltlog does.
type chained interface {
	// CheckChain computes the chain again. What is wrong with it comes as a
	// *[eventstore.ChainError]; any other error is the last.
	CheckChain(ctx context.Context) iter.Seq[error]
}

// Options say how to check. The zero value checks everything.
type Options struct {
	// DecisionsOnly leaves out references, side records and the chain.
	DecisionsOnly bool
	// Progress, where it is set, is told now and then how many events have been
	// read of how many. It is called by the goroutine that calls [Check].
	Progress func(events, total uint64)
}

// Check reads the whole log and reports what is wrong with it. Whatever is
// wrong is in the report; the error tells that the log could not be read to its
// end for another reason: the end of ctx, a file that was closed.
//
// Records that are appended meanwhile are not looked at, but their side records
// are: a log that is being written is better checked through a backup.
func Check(ctx context.Context, log Log, options Options) (*Report, error) {
	last := log.Last()
	c := &checker{
		log: log, options: options, replay: domain.NewReplay(), next: 1,
		report: &Report{Last: last, Found: make(map[Kind]uint64), things: things{last: last}},
	}
	if err := c.records(ctx); err != nil {
		return c.report, err
	}
	if options.DecisionsOnly {
		return c.report, nil
	}
	if err := c.sides(ctx); err != nil {
		return c.report, err
	}
	return c.report, c.chain(ctx)
}

type checker struct {
	log     Log
	options Options
	report  *Report
	replay  *domain.Replay
	next    domain.Position // what comes next
	before  time.Time       // of the last record
	lost    bool            // something in front of next cannot be read
	resumed bool            // next follows damage, whose end is a guess
	broken  bool            // the prefix has ended
}

func (c *checker) find(kind Kind, from, to domain.Position, err error) {
	c.report.add(Finding{Kind: kind, From: from, To: to, Err: err})
}

// records reads stretch after stretch; each but the last ends with an error.
func (c *checker) records(ctx context.Context) error {
	for {
		began := c.next
		more, err := c.stretch(ctx)
		if err != nil {
			return err
		}
		if !more || c.next > c.report.Last || c.next == began {
			break
		}
	}
	if c.next <= c.report.Last {
		c.find(Order, c.next, c.report.Last, &PositionError{Expected: c.next})
		c.lost = true
	}
	c.end()
	c.progress()
	return nil
}

// stretch reads from next on, up to something that cannot be read; more is false
// at the end of the log.
func (c *checker) stretch(ctx context.Context) (more bool, err error) {
	for r, err := range c.log.Read(ctx, c.next) {
		if err != nil {
			return true, c.unreadable(ctx, err)
		}
		if r.Position > c.report.Last {
			return false, nil
		}
		c.record(r)
	}
	return false, nil
}

// unreadable takes in why a stretch ended, and sets next behind it.
func (c *checker) unreadable(ctx context.Context, err error) error {
	var damage *eventstore.DamageError
	var unknown *codec.UnknownEventError
	switch {
	case errors.As(err, &damage):
		return c.damaged(ctx, damage)
	case errors.As(err, &unknown):
		c.lose()
		c.find(Unknown, unknown.Position, unknown.Position, unknown)
		c.next, c.before = unknown.Position+1, unknown.Time
		return nil
	}
	return err
}

func (c *checker) damaged(ctx context.Context, d *eventstore.DamageError) error {
	c.lose()
	from := max(d.From, c.next)
	behind, err := c.behind(ctx, d, from)
	if err != nil {
		return err
	}
	whole := *d
	whole.From, whole.To = from, behind-1
	c.find(Damage, from, behind-1, &whole)
	c.next, c.resumed = behind, true
	return nil
}

// lose notes that what comes next is lost.
func (c *checker) lose() { c.lost, c.broken = true, true }

// record checks one record.
func (c *checker) record(r domain.Record) {
	if !c.inOrder(r) {
		return
	}
	c.report.Events++
	c.checkTime(r)
	c.report.things.note(r)
	if !c.options.DecisionsOnly {
		c.checkReferences(r)
	}
	c.decide(r)
	c.next, c.before, c.resumed = r.Position+1, r.Time, false
	if c.report.Events%progressEvery == 0 {
		c.progress()
	}
}

// inOrder tells whether a record may be looked at: one that came before may not.
func (c *checker) inOrder(r domain.Record) bool {
	switch {
	case r.Position == c.next:
		return true
	case r.Position > c.next && c.resumed:
		c.report.extend(r.Position - 1)
		return true
	}
	c.lose()
	wrong := &PositionError{Expected: c.next, Actual: r.Position}
	if r.Position < c.next {
		c.find(Order, r.Position, r.Position, wrong)
		return false
	}
	c.find(Order, c.next, r.Position-1, wrong)
	return true
}

func (c *checker) checkTime(r domain.Record) {
	if r.Time.Before(c.before) || r.Time != domain.Instant(r.Time) {
		c.broken = true
		c.find(Time, r.Position, r.Position, &TimeError{Position: r.Position, Time: r.Time, Before: c.before})
	}
}

// decide derives the decisions again, and sees where they end.
func (c *checker) decide(r domain.Record) {
	if c.lost {
		return
	}
	c.mismatch(c.replay.Next(r))
	c.report.Replayed = r.Position
	if !c.broken && c.replay.End() == nil {
		c.report.Prefix = r.Position
	}
}

// end tells where the log ends within a decision. What is lost may have held the
// rest.
func (c *checker) end() {
	if !c.lost {
		c.mismatch(c.replay.End())
	}
}

func (c *checker) mismatch(err error) {
	if m := (*domain.MismatchError)(nil); errors.As(err, &m) {
		c.find(Decision, m.Position, m.Position, m)
	}
}

// progressEvery is how many events are read between two calls of Progress.
const progressEvery = 8192

func (c *checker) progress() {
	if c.options.Progress != nil {
		c.options.Progress(c.report.Events, uint64(c.report.Last))
	}
}

// chain checks the digests over the log, where it has any.
func (c *checker) chain(ctx context.Context) error {
	log, ok := c.log.(chained)
	if !ok {
		return nil
	}
	for err := range log.CheckChain(ctx) {
		bad := (*eventstore.ChainError)(nil)
		if !errors.As(err, &bad) {
			return err
		}
		c.find(Chain, bad.From, bad.To, bad)
	}
	return nil
}
