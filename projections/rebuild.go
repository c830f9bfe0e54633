package projections

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// Report tells what a rebuild or a check has found.
type Report struct {
	Projection string
	// Position is that as of which the two views were compared.
	Position domain.Position
	// Resumed is where a rebuild that was interrupted went on; zero if this
	// one began at the beginning.
	Resumed domain.Position
	// Took is how long it took.
	Took time.Duration
	// Difference is the first difference; nil if the views are the same.
	Difference *Difference
}

// Rebuild makes a view again from the first record, beside the live one, which
// goes on answering and growing; compares the two; and puts the new one in the
// live one's place in one transaction, whatever the comparison says. What was
// made is kept when ctx ends it early, and the next Rebuild goes on from there.
// progress, which may be nil, is called now and then.
func (s *Set) Rebuild(ctx context.Context, name string, progress func(Progress)) (Report, error) {
	reports, err := s.RebuildAll(ctx, []string{name}, progress)
	return only(reports), err
}

// RebuildAll is [Set.Rebuild] for several views, in one pass over the log. It gives the
// reports of those whose place has been taken, in the order of the names, also with an
// error. What the reports say it took is counted from the beginning of the pass.
func (s *Set) RebuildAll(ctx context.Context, names []string, progress func(Progress)) (reports []Report, err error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	for _, name := range names {
		done, err := s.reserve(name)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	if err := s.CatchUp(ctx); err != nil && !errors.Is(err, ErrRunning) {
		return nil, err
	}
	var p pass
	for _, name := range names {
		b, err := s.resumeBuild(name)
		if err != nil {
			return nil, err
		}
		p.add(b)
	}
	if err := p.run(ctx, progress); err != nil {
		return nil, errors.Join(err, p.save(context.WithoutCancel(ctx), 0))
	}
	for i, b := range p.builds {
		report, err := p.report(ctx, b)
		if err == nil {
			err = b.swap(ctx)
		}
		if err != nil {
			return reports, errors.Join(err, p.save(context.WithoutCancel(ctx), i))
		}
		reports = append(reports, report)
	}
	return reports, nil
}

// Check makes a view again, in a file for the time being, and only compares it
// with the live one, which goes on answering and growing.
func (s *Set) Check(ctx context.Context, name string, progress func(Progress)) (report Report, err error) {
	reports, err := s.CheckAll(ctx, []string{name}, progress)
	return only(reports), err
}

// CheckAll is [Set.Check] for several views, in one pass over the log. Those that can be
// compared are, and their reports come also with the *[StaleError] of another.
func (s *Set) CheckAll(ctx context.Context, names []string, progress func(Progress)) (reports []Report, err error) {
	var p pass
	for _, name := range names {
		b, buildErr := s.scratchBuild(name)
		if buildErr != nil {
			err = errors.Join(err, buildErr)
			continue
		}
		defer func() { err = errors.Join(err, b.scratch.remove()) }()
		p.add(b)
	}
	if err := p.run(ctx, progress); err != nil {
		return nil, err
	}
	for _, b := range p.builds {
		report, reportErr := p.report(ctx, b)
		if reportErr != nil {
			return reports, errors.Join(err, reportErr)
		}
		reports = append(reports, report)
	}
	return reports, err
}

// only gives the one report there is, if there is one.
func only(reports []Report) (r Report) {
	for _, r = range reports {
	}
	return r
}

// reserve keeps a second rebuild of the same view away until done is called.
func (s *Set) reserve(name string) (done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.maker(name); err != nil {
		return nil, err
	}
	if s.rebuilding[name] {
		return nil, ErrRebuilding
	}
	s.rebuilding[name] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.rebuilding, name)
	}, nil
}

// resumeBuild takes up an interrupted rebuild, or begins one.
func (s *Set) resumeBuild(name string) (*build, error) {
	live, err := s.liveAbout(name)
	if err != nil {
		return nil, err
	}
	m, marker := newMaker(live.projection, rebuildRoot, s.log.ID()), newMarker(s.log)
	err = s.read(func(tx *bbolt.Tx) error {
		return m.load(tx, func(a about) string {
			if a.Cursor > live.saved {
				return "it is ahead of the live view"
			}
			return misfit(marker, a)
		})
	})
	var stale *StaleError
	if errors.As(err, &stale) {
		m = newMaker(live.projection, rebuildRoot, s.log.ID())
		err = s.write(m.discard)
	}
	return &build{set: s, maker: m, marker: marker, resumed: m.cursor}, err
}

// scratchBuild begins a build in a file of its own.
func (s *Set) scratchBuild(name string) (*build, error) {
	live, err := s.liveAbout(name)
	if err != nil {
		return nil, err
	}
	file, err := newScratch()
	if err != nil {
		return nil, err
	}
	m := newMaker(live.projection, rebuildRoot, s.log.ID())
	return &build{set: s, maker: m, scratch: file}, nil
}

// standing is where a live view stands.
type standing struct {
	projection Projection
	saved      domain.Position
}

// liveAbout tells where a live view stands, or why there is none to compare
// with.
func (s *Set) liveAbout(name string) (standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.maker(name)
	if err != nil {
		return standing{}, err
	}
	var stale *StaleError
	if errors.As(m.stopped, &stale) {
		return standing{}, stale
	}
	return standing{m.projection, m.saved}, nil
}
