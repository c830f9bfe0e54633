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

const (
	// feedBatch is the most records in one message of the feed, and waitingBatches
	// how many messages wait for the save under way.
	feedBatch      = 1 << 10
	waitingBatches = 4
	// liveSave is about the most records between two saves.
	liveSave = 1 << 16
)

// follow folds in what is written to the log from a position on, until ctx is
// done. One goroutine reads ahead while another saves, so that a save takes up
// whatever has gathered while the last one was under way.
func (s *Set) follow(ctx context.Context, from domain.Position) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan []domain.Record, waitingBatches)
	read := make(chan error, 1)
	go func() {
		defer close(batches)
		read <- s.feed(ctx, from, batches)
	}()
	err := s.drain(batches)
	cancel()
	for range batches { // the reader may still be sending
	}
	if err != nil {
		<-read
		return err
	}
	return <-read
}

// feed hands on the records from a position on, as a Watermill handler of the log's
// feed. A message is acknowledged as soon as its records wait to be folded in: the
// cursor is saved with the views, so that what had not been saved comes again.
func (s *Set) feed(ctx context.Context, from domain.Position, to chan<- []domain.Record) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	router, err := message.NewRouter(message.RouterConfig{}, quiet(s.logger))
	if err != nil {
		return err
	}
	subscriber := feed.NewBatched(s.log, from, feedBatch)
	router.AddConsumerHandler("projections", feed.Everything, subscriber, func(m *message.Message) error {
		records, err := feed.Records(m)
		if err != nil {
			fail(err) // it would come again and again
			return err
		}
		select {
		case to <- records:
		case <-ctx.Done(): // nobody folds them in; the next Run reads them again
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

// drain folds batches in until the channel is closed, and saves what there is as soon as
// no more of them waits, or much has been folded in.
func (s *Set) drain(batches <-chan []domain.Record) error {
	unsaved := 0
	for records := range batches {
		unsaved += len(records)
		save := len(batches) == 0 || unsaved >= liveSave
		if err := s.takeNew(records, save); err != nil {
			return err
		}
		if save {
			unsaved = 0
		}
	}
	return nil
}
