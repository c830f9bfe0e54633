package verify

import (
	"context"
	"errors"
	"fmt"

	"rollcall/domain"
	"rollcall/eventstore"
)

// Salvaged says what was written to another log.
type Salvaged struct {
	Events, Sides uint64
}

const (
	salvageRecords = 4096    // in one batch
	salvageBytes   = 1 << 20 // of side records in one batch, if one is not more already
)

// Salvage writes the report's prefix of the log it was made of, with the side
// records that stand under it and can be read, to the empty log to.
func (r *Report) Salvage(ctx context.Context, from Log, to eventstore.Appender) (Salvaged, error) {
	s := salvage{to: to}
	for rec, err := range from.Read(ctx, 1) {
		if rec.Position > r.Prefix || r.Prefix == 0 {
			break
		}
		if err == nil {
			err = s.record(ctx, rec)
		}
		if err != nil {
			return s.done, fmt.Errorf("salvage: %w", err)
		}
		if rec.Position == r.Prefix {
			break
		}
	}
	if err := s.flush(ctx); err != nil {
		return s.done, err
	}
	return s.done, s.sides(ctx, from, r)
}

type salvage struct {
	to    eventstore.Appender
	last  domain.Position
	batch domain.Batch
	bytes int // of side records in the batch
	done  Salvaged
}

func (s *salvage) record(ctx context.Context, r domain.Record) error {
	s.batch.Records = append(s.batch.Records, r)
	if len(s.batch.Records) < salvageRecords {
		return nil
	}
	return s.flush(ctx)
}

func (s *salvage) sides(ctx context.Context, from Log, r *Report) error {
	for side, err := range eachSide(ctx, from, &r.things) {
		damage := (*eventstore.DamageError)(nil)
		switch {
		case errors.As(err, &damage):
			continue // the report has it
		case err != nil:
			return fmt.Errorf("salvage: %w", err)
		case side.Position == 0 || side.Position > r.Prefix:
			continue
		}
		s.batch.Sides = append(s.batch.Sides, side)
		if s.bytes += len(side.Value); s.bytes < salvageBytes && len(s.batch.Sides) < salvageRecords {
			continue
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	return s.flush(ctx)
}

func (s *salvage) flush(ctx context.Context) error {
	last, err := s.to.Append(ctx, s.last, s.batch)
	if err != nil {
		return fmt.Errorf("salvage: %w", err)
	}
	s.done.Events += uint64(len(s.batch.Records))
	s.done.Sides += uint64(len(s.batch.Sides))
	s.last, s.batch, s.bytes = last, domain.Batch{}, 0
	return nil
}
