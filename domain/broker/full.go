package broker

import (
	"context"
	"errors"
	"time"

	"rollcall/domain"
)

// Reserve is what a [Log] may have besides: room that it keeps for what cannot be
// put off, so that sessions can end, be left and be taken up again while there is
// none for newcomers.
type Reserve interface {
	// AppendReserved is Append that may take the room which is kept. It gives
	// [domain.ErrLogFull] where that is used up, too.
	AppendReserved(ctx context.Context, after domain.Position, batch domain.Batch) (domain.Position, error)
	// MakeRoom gives nil once there is room for Append again, and
	// [domain.ErrLogFull] while there is none. It may be called while nothing is
	// appended.
	MakeRoom(ctx context.Context) error
}

// roomEvery is how often a full log is tried again.
const roomEvery = time.Second

// append writes a batch, into the room that is kept where there is no other. An
// operator who works on a log that nobody serves is told of a full disk instead,
// unless what is asked for cannot be put off.
func (s *sequencer) append(b *batch) (domain.Position, error) {
	ctx := context.Background()
	if s.reserve == nil || !s.tight.Load() {
		last, err := s.log.Append(ctx, b.after, b.Batch)
		if !errors.Is(err, domain.ErrLogFull) || s.reserve == nil || !s.patient.Load() && !b.goesOn {
			return last, err
		}
		s.tighten("the disk is full: nobody is let in until there is room; sessions go on, and end, in room that is kept for them")
	}
	return s.reserve.AppendReserved(ctx, b.after, b.Batch)
}

// tighten refuses what is new from now on.
func (s *sequencer) tighten(why string) {
	if s.tight.CompareAndSwap(false, true) {
		s.counts.filled.Add(1)
		s.logger.Error(why, "next", "free space on the disk of the data folder; a restart is not needed")
		s.tryAgainSoon()
	}
}

// loosen takes what is new again.
func (s *sequencer) loosen() {
	if s.tight.CompareAndSwap(true, false) {
		s.logger.Info("the log has room again, and goes on")
	}
}

// tryAgainSoon has the writer look for room after a while.
func (s *sequencer) tryAgainSoon() {
	s.clock.AfterFunc(roomEvery, func() {
		select {
		case s.roomTick <- struct{}{}:
		default: // it will look anyhow
		}
	})
}

// next gives the writer's next batch, false when there is none any more. Meanwhile
// it sees whether a full log has room again.
func (s *sequencer) next() (*batch, bool) {
	for {
		select {
		case b, ok := <-s.out:
			return b, ok
		case <-s.roomTick:
			s.lookForRoom()
		}
	}
}

// lookForRoom tells an error only with the next batch, which meets with it.
func (s *sequencer) lookForRoom() {
	switch {
	case s.reserve == nil || !s.tight.Load():
	case s.reserve.MakeRoom(context.Background()) == nil:
		s.loosen()
	default:
		s.tryAgainSoon()
	}
}

// waitForRoom lets a while pass after there was not even room that is kept: nothing
// of the batch was written, so that it may be tried again. It gives false once
// the sequencer is to stop.
func (s *sequencer) waitForRoom() bool {
	if s.full.CompareAndSwap(false, true) {
		s.tighten("the disk is full: nobody is let in until there is room")
		s.logger.Error("there is no room for sessions to end in, either: they wait")
	}
	tick := make(chan struct{})
	defer s.clock.AfterFunc(roomEvery, func() { close(tick) })()
	select {
	case <-tick:
		return true
	case <-s.hurried:
		return false
	}
}

// written notes that there was room for a batch.
func (s *sequencer) written() {
	s.full.Store(false)
	if s.reserve == nil {
		s.loosen()
	}
}
