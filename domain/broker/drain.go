package broker

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
)

// A broker that stops asks its devices to come back after a while, each after
// another one: together they would find the next broker too busy.
const (
	comeBackAfter = 2 * time.Second
	// comeBackRate is how many devices are to return in a second.
	comeBackRate = 500
)

// Stop lets nobody in any more, lets what is being sent or kept come to an end,
// asks every device to come back, closes every link and every upstream
// conversation, and returns when all that was decided is durable. The sessions
// keep their seats: their devices resume them after the next start. When ctx is
// done it no longer waits for upstream servers and slow links; nor does a broker
// that has failed wait for messages on their way upstream. It stops what
// [Open] began also where Start was never called.
func (b *Broker) Stop(ctx context.Context) error {
	b.stopOnce.Do(func() { b.stopErr = b.shutDown(ctx) })
	return b.stopErr
}

func (b *Broker) shutDown(ctx context.Context) error {
	wasOpen, sessions := b.closeDoors()
	b.seq.hurry()
	window := time.Second * time.Duration(len(sessions)) / comeBackRate
	var parting sync.WaitGroup
	for _, s := range sessions {
		parting.Go(func() { s.suspend(ctx, comeBackAfter+rand.N(window+1)) })
	}
	wait(ctx, &parting)
	wait(ctx, &b.inside)
	var err error
	kept := len(sessions) // those that somebody has been heard of since the start
	if wasOpen && !b.seq.full.Load() {
		err = b.seq.do(context.WithoutCancel(ctx), func(t *turn) error {
			kept = len(slices.Collect(t.ledger().Seats()))
			_, err := t.decide(domain.StopBroker{At: t.now})
			return err
		})
	}
	b.seq.stop() // from here on no session ends any more
	wait(ctx, &b.ending)
	b.keeper.stop(ctx)
	if wasOpen {
		b.logger.Info("the broker has stopped; sessions keep their seats", "sessions", kept)
	}
	return err
}

// wait waits for the group, or until ctx is done.
func wait(ctx context.Context, group *sync.WaitGroup) {
	all := make(chan struct{})
	go func() {
		defer close(all)
		group.Wait()
	}()
	select {
	case <-all:
	case <-ctx.Done():
	}
}

// suspend takes the session down without ending it: the broker stops. A call
// upstream that is under way comes to its end first, and its answer to the
// device; one that logs in is given up. So is every call of a broker that has
// failed: it may wait for what this broker keeps no more, and nobody would be told
// how it came out.
func (s *session) suspend(ctx context.Context, after time.Duration) {
	s.mu.Lock()
	s.parting = true // nothing more is taken from the device
	awake := s.conv != nil
	s.mu.Unlock()
	if awake {
		s.call.wait(ctx, s.b.seq.failed)
	}
	conv := s.close(ComeBack{After: after})
	s.awaitWritten(ctx)
	s.logout(conv) // waits for the answer to that call, and for a letter that is being put
}
