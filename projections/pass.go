package projections

import (
	"context"
	"errors"
	"slices"
)

// pass makes several views a second time while it reads the log once.
type pass struct {
	builds []*build
	meter  *meter
}

func (p *pass) add(b *build) { p.builds = append(p.builds, b) }

// run folds in the log, until each live view is only a little ahead.
func (p *pass) run(ctx context.Context, progress func(Progress)) error {
	if len(p.builds) == 0 {
		return nil
	}
	p.meter = newMeter(progress, uint64(furthestBehind(p.builds).maker.cursor))
	for _, b := range p.builds {
		b.meter = p.meter
	}
	return p.approach(ctx, p.builds)
}

// approach folds until each of the live views is only a little ahead.
func (p *pass) approach(ctx context.Context, builds []*build) error {
	for {
		behind, err := behindLive(builds)
		if err != nil || len(behind) == 0 {
			return err
		}
		if err := p.fold(ctx, behind); err != nil {
			return err
		}
	}
}

// report compares a view with the live one, which may have got ahead meanwhile.
func (p *pass) report(ctx context.Context, b *build) (Report, error) {
	if err := p.approach(ctx, []*build{b}); err != nil {
		return Report{}, err
	}
	return b.report(ctx)
}

// behindLive gives the views that are more than a little behind, and sets their goals.
func behindLive(builds []*build) (behind []*build, err error) {
	for _, b := range builds {
		live, err := b.set.liveAbout(b.maker.projection.Name)
		if err != nil {
			return nil, err
		}
		if b.goal = live.saved; b.goal > b.maker.cursor+liveBatch {
			behind = append(behind, b)
		}
	}
	return behind, nil
}

// fold brings every one of the views to its goal.
func (p *pass) fold(ctx context.Context, behind []*build) error {
	from := furthestBehind(behind).maker.cursor
	goal := slices.MaxFunc(behind, func(a, b *build) int { return int(a.goal) - int(b.goal) }).goal
	errs := make([]error, len(behind))
	for some, err := range records(ctx, behind[0].set.log, from+1) {
		if err != nil {
			return err
		}
		beside(len(behind), len(some), func(i int) { errs[i] = behind[i].take(ctx, some, behind[i].goal) })
		if err := errors.Join(errs...); err != nil {
			return err
		}
		now := min(some[len(some)-1].Position, goal)
		if now == goal || now/progressEvery != from/progressEvery {
			p.meter.at(uint64(now), uint64(goal))
		}
		if from = now; now == goal {
			break
		}
	}
	return nil
}

func furthestBehind(builds []*build) *build {
	return slices.MinFunc(builds, func(a, b *build) int { return int(a.maker.cursor) - int(b.maker.cursor) })
}

// save writes what has been made of the views from the nth on.
func (p *pass) save(ctx context.Context, n int) error {
	var err error
	for _, b := range p.builds[n:] {
		err = errors.Join(err, b.save(ctx))
	}
	return err
}
