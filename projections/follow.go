package projections

import (
	"context"

	"rollcall/domain"
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

// feed sends each record from a position on.
func (s *Set) feed(ctx context.Context, from domain.Position, to chan<- domain.Record) error {
	for r, err := range s.log.Follow(ctx, from) {
		if err != nil {
			return err
		}
		select {
		case to <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
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
