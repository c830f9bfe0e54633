package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/domain"
)

// maxGathered is how many records a batch may gather before the sequencer waits
// for the disk: a bound on memory and on what one commit takes.
const maxGathered = 4096

// sequencer makes every decision, one after the other, and has them written in
// groups: while the writer waits for the disk, the next batch gathers.
type sequencer struct {
	log    Log
	clock  *steadyClock
	logger *slog.Logger
	ledger *domain.Ledger
	dir    *directory
	// committed is called with the records of each durable batch, in order,
	// before anybody is answered. It must not block.
	committed func([]domain.Record)
	counts    *counters

	in      chan request
	touches chan touch
	out     chan *batch
	wake    chan struct{}
	quit    chan struct{} // closed by stop
	failed  chan struct{} // closed by fail
	done    chan struct{} // closed when both goroutines are gone

	hurried   chan struct{} // closed by hurry
	hurryOnce sync.Once

	stopOnce sync.Once
	failOnce sync.Once
	err      error // why failed is closed; to be read after that
	durable  atomic.Uint64
	patient  atomic.Bool // a full log is waited for
	tight    atomic.Bool // the log has room only for what goes on
	full     atomic.Bool // and not for that, either
	reserve  Reserve     // nil where the log keeps none
	roomTick chan struct{}
	started  bool      // devices may be heard of, and count as silent
	expiry   time.Time // when wake is due; zero if it is not
	unwake   func() bool
}

// request is one turn that somebody waits for.
type request struct {
	run    func(*turn) error
	looks  bool // and decides nothing: it need not wait for the disk
	isNew  bool // and may be put off
	answer chan error
}

// touch tells that the device of a session was heard of.
type touch struct {
	session domain.SessionID
	at      time.Time
}

// batch gathers turns until the writer takes it.
type batch struct {
	domain.Batch
	after   domain.Position
	answers []answer
	goesOn  bool // there is something in it that cannot be put off
}

type answer struct {
	to  chan error
	err error // what the turn itself came to
}

func (b *batch) empty() bool { return len(b.answers) == 0 && !b.writes() }

func (b *batch) writes() bool { return len(b.Records)+len(b.Sides)+len(b.Forget) > 0 }

func newSequencer(log Log, clock *steadyClock, logger *slog.Logger, ledger *domain.Ledger, dir *directory, committed func([]domain.Record), counts *counters) *sequencer {
	s := &sequencer{
		log: log, clock: clock, logger: logger, ledger: ledger, dir: dir, committed: committed, counts: counts,
		in:      make(chan request),
		touches: make(chan touch, 1024),
		out:     make(chan *batch),
		wake:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
		hurried: make(chan struct{}),
		failed:  make(chan struct{}),
		done:    make(chan struct{}),

		roomTick: make(chan struct{}, 1),
	}
	s.reserve, _ = log.(Reserve)
	s.durable.Store(uint64(ledger.Position()))
	go s.decideAll()
	go s.writeAll()
	return s
}

// do runs f as one turn on the sequencer's goroutine and returns when all that f
// decided, and all that it was decided on, is durable. It gives f's error, or
// that of the commit. A turn that has been taken is always answered, whatever
// becomes of ctx.
func (s *sequencer) do(ctx context.Context, f func(*turn) error) error {
	return s.ask(ctx, request{run: f, answer: make(chan error, 1)})
}

// enqueue is do in two steps, for whoever keeps others waiting until the turn is taken
// and not for as long as the disk takes: await gives what do would.
func (s *sequencer) enqueue(ctx context.Context, f func(*turn) error) (await func() error) {
	r := request{run: f, answer: make(chan error, 1)}
	if err := s.hand(ctx, r); err != nil {
		return func() error { return err }
	}
	return func() error { return <-r.answer }
}

// begin is do for work that is new: while the log is full there is none, and it
// gives [domain.ErrLogFull].
func (s *sequencer) begin(ctx context.Context, f func(*turn) error) error {
	if s.tight.Load() {
		return domain.ErrLogFull
	}
	return s.ask(ctx, request{run: f, isNew: true, answer: make(chan error, 1)})
}

// finish is do for what an operator takes away, and for who can be told to return: room
// is kept for that, and where that is used up it gives [domain.ErrLogFull] at once.
func (s *sequencer) finish(ctx context.Context, f func(*turn) error) error {
	if s.full.Load() {
		return domain.ErrLogFull
	}
	return s.do(ctx, f)
}

// look runs f, which decides nothing, and does not wait for the disk.
func (s *sequencer) look(ctx context.Context, f func(*turn)) error {
	return s.ask(ctx, request{run: func(t *turn) error { f(t); return nil }, looks: true, answer: make(chan error, 1)})
}

// settled waits until all that has been decided is durable, or ctx is done.
func (s *sequencer) settled(ctx context.Context) error {
	nothing := func(*turn) error { return nil }
	r := request{run: nothing, isNew: true, answer: make(chan error, 1)}
	if err := s.hand(ctx, r); err != nil {
		return err
	}
	select { // nothing comes of it: it may be left
	case err := <-r.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *sequencer) ask(ctx context.Context, r request) error {
	if err := s.hand(ctx, r); err != nil {
		return err
	}
	return <-r.answer
}

// hand has a turn taken, which is then answered.
func (s *sequencer) hand(ctx context.Context, r request) error {
	select {
	case s.in <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.failed:
		return s.failure()
	case <-s.quit:
		return ErrStopped
	}
}

// touch notes that a device was heard of; it is not durable and not waited for.
func (s *sequencer) touch(id domain.SessionID, at time.Time) {
	select {
	case s.touches <- touch{id, at}:
	case <-s.done:
	}
}

// stop ends the sequencer when everything it has taken is written.
func (s *sequencer) stop() {
	s.stopOnce.Do(func() { close(s.quit) })
	<-s.done
}

// fail stops the sequencer for good: what is in memory may be ahead of the disk.
func (s *sequencer) fail(why error) {
	s.failOnce.Do(func() {
		s.err = why
		close(s.failed)
	})
}

func (s *sequencer) hasFailed() bool {
	select {
	case <-s.failed:
		return true
	default:
		return false
	}
}

func (s *sequencer) failure() error {
	return fmt.Errorf("%w: %w", ErrStopped, s.err)
}

// decideAll is the goroutine that owns the ledger.
func (s *sequencer) decideAll() {
	defer close(s.out)
	defer s.unschedule()
	pending := s.newBatch()
	for {
		in, out := s.in, s.out
		if len(pending.Records) >= maxGathered {
			in = nil
		}
		if pending.empty() {
			out = nil
		}
		select { // whoever asks already is taken before the batch is handed over
		case r := <-in:
			s.take(pending, r)
			continue
		default:
		}
		select {
		case r := <-in:
			s.take(pending, r)
		case t := <-s.touches:
			s.ledger.Touch(t.session, t.at)
		case out <- pending:
			pending = s.newBatch()
		case <-s.wake:
			s.expire(pending)
		case <-s.failed:
			pending.reply(s.failure())
			return
		case <-s.quit:
			s.handLast(pending)
			return
		}
	}
}

// handLast gives the last batch to the writer.
func (s *sequencer) handLast(b *batch) {
	if b.empty() {
		return
	}
	select {
	case s.out <- b:
	case <-s.failed:
		b.reply(s.failure())
	}
}

func (s *sequencer) newBatch() *batch { return &batch{after: s.ledger.Position()} }

// take runs one turn. Where nothing waits for the disk it is answered at once;
// otherwise it may rest on what is not durable yet, and waits with the batch.
func (s *sequencer) take(b *batch, r request) {
	err := r.run(&turn{seq: s, batch: b, now: s.now()})
	if r.looks || !b.writes() && s.durable.Load() == uint64(s.ledger.Position()) {
		r.answer <- err
		return
	}
	b.answers = append(b.answers, answer{r.answer, err})
	b.goesOn = b.goesOn || !r.isNew
	s.schedule()
}

// now gives the time of a turn. Where the clock has gone ahead by a step, everybody in
// coverage counts as heard of: when they were is known by a clock that was behind. Who
// is out of coverage has been away for as long as the records say.
func (s *sequencer) now() time.Time {
	now, stepped := s.clock.Read()
	if stepped {
		for _, seat := range slices.Collect(s.ledger.Seats()) {
			s.ledger.Touch(seat.Session, now)
		}
		s.unschedule()
		s.expiry = time.Time{}
		s.schedule()
	}
	return now
}

// writeAll is the goroutine that waits for the disk.
func (s *sequencer) writeAll() {
	defer close(s.done)
	for b, more := s.next(); more; b, more = s.next() {
		if s.hasFailed() {
			b.reply(s.failure())
			continue
		}
		if err := s.write(b); err != nil {
			s.fail(fmt.Errorf("write to the event log: %w", err))
			b.reply(s.failure())
			continue
		}
		s.committed(b.Records)
		b.reply(nil)
		// Whoever was answered may ask again at once: were the next batch taken
		// before that, callers would fall into two halves that take turns.
		runtime.Gosched()
	}
}

func (s *sequencer) write(b *batch) error {
	if !b.writes() {
		return nil
	}
	began := s.clock.Elapsed()
	last, err := s.append(b)
	for errors.Is(err, domain.ErrLogFull) && s.patient.Load() && s.waitForRoom() {
		last, err = s.append(b)
	}
	if err != nil {
		return err
	}
	s.written()
	s.counts.committed(len(b.Records), s.clock.Elapsed()-began)
	s.durable.Store(uint64(last))
	return nil
}

// hurry ends the waiting for room: what does not fit is given up.
func (s *sequencer) hurry() {
	s.patient.Store(false)
	s.hurryOnce.Do(func() { close(s.hurried) })
}

// reply answers every turn of the batch: with err if the commit failed, with
// its own outcome otherwise.
func (b *batch) reply(err error) {
	for _, a := range b.answers {
		if err != nil {
			a.to <- err
			continue
		}
		a.to <- a.err
	}
}

// expire ends the sessions whose inactivity timeout is over.
func (s *sequencer) expire(b *batch) {
	s.expiry = time.Time{}
	t := &turn{seq: s, batch: b, now: s.now()}
	records, _ := t.decide(domain.ExpireInactive{At: t.now}) // this command is never refused
	b.goesOn = b.goesOn || len(records) > 0
	s.schedule()
}

// schedule sees to it that expire runs when the next session may have become
// inactive. Hearing of a device only puts that off, so the wake may come early.
// Before the start nobody can be heard of, and nobody is inactive for that.
func (s *sequencer) schedule() {
	if !s.started {
		return
	}
	next, ok := s.ledger.NextInactive()
	if !ok || !s.expiry.IsZero() && !next.Before(s.expiry) {
		return
	}
	s.unschedule()
	s.expiry = next
	s.unwake = s.clock.AfterFunc(next.Sub(s.clock.Now()), func() {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
}

func (s *sequencer) unschedule() {
	if s.unwake != nil {
		s.unwake()
	}
}
