package verify

import (
	"context"
	"errors"

	"rollcall/domain"
	"rollcall/eventstore"
)

// behind gives the first position behind from, where damage d begins, that is
// not lost to the same damage. A log that does not say where the damage ends is
// asked at positions ever farther off, and then in between.
func (c *checker) behind(ctx context.Context, d *eventstore.DamageError, from domain.Position) (domain.Position, error) {
	last := max(c.report.Last, from)
	if d.To >= from && d.From > c.report.Last {
		return d.To + 1, nil // what the journal says of itself
	}
	if d.To >= from {
		return min(d.To, last) + 1, nil // a damaged key may tell of any position
	}
	low, high := from, from+1 // low is lost
	for step := domain.Position(1); high <= last; step *= 2 {
		lost, err := c.lostTo(ctx, from, high)
		if err != nil {
			return 0, err
		}
		if !lost {
			break
		}
		low, high = high, min(high+2*step, last+1)
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		lost, err := c.lostTo(ctx, from, middle)
		if err != nil {
			return 0, err
		}
		if lost {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}

// lostTo tells whether position p cannot be read because of damage that begins at
// from or before.
func (c *checker) lostTo(ctx context.Context, from, p domain.Position) (bool, error) {
	for _, err := range c.log.Read(ctx, p) {
		var damage *eventstore.DamageError
		switch {
		case errors.As(err, &damage):
			return damage.From <= from, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		}
		break // anything else is told when the reading gets there
	}
	return false, nil
}
