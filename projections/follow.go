package projections

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/feed"
)

// follow folds in what is written to the log from a position on, until ctx is
// done. One goroutine reads ahead while another saves, so that a save takes up
// whatever has gathered while the last one was under way.
func (s *Set) follow(ctx context.Context, from domain.Position) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	records := make(chan domain.Record, liveBatch)
	read := make(chan error, 1)
	go func() {
		defer close(records)
		read <- s.feed(ctx, from, records)
	}()
	err := s.drain(records)
	cancel()
	for range records { // the reader may still be sending
	}
	if err != nil {
		<-read
		return err
	}
	return <-read
}

// feed hands on each record from a position on, as a Watermill handler of the
// log's feed. A message is acknowledged as soon as its record waits to be folded
// in: the cursor is saved with the views, so that what had not been saved comes
// again.
func (s *Set) feed(ctx context.Context, from domain.Position, to chan<- domain.Record) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	router, err := message.NewRouter(message.RouterConfig{}, quiet(s.logger))
	if err != nil {
		return err
	}
	subscriber := feed.New(s.log, from)
	router.AddConsumerHandler("projections", feed.Everything, subscriber, func(m *message.Message) error {
		r, err := feed.Record(m)
		if err != nil {
			fail(err) // it would come again and again
			return err
		}
		select {
		case to <- r:
		case <-ctx.Done(): // nobody folds it in; the next Run reads it again
		}
		return nil
	})
	err = router.Run(ctx)
	return cmp.Or(subscriber.Err(), context.Cause(ctx), err, eventstore.ErrClosed)
}

// quiet is the program's log for Watermill, which tells at level info what only
// its own maintainers want to know.
func quiet(logger *slog.Logger) watermill.LoggerAdapter {
	return watermill.NewSlogLoggerWithLevelMapping(logger, map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug})
}

// drain saves records in batches until the channel is closed.
func (s *Set) drain(records <-chan domain.Record) error {
	batch := make([]domain.Record, 0, liveBatch)
	for r := range records {
		batch = gather(append(batch[:0], r), records)
		if err := s.takeAll(batch, true); err != nil {
			return err
		}
	}
	return nil
}

// gather adds what is there to the batch, and does not wait.
func gather(batch []domain.Record, from <-chan domain.Record) []domain.Record {
	for len(batch) < cap(batch) {
		select {
		case r, ok := <-from:
			if !ok {
				return batch
			}
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}
