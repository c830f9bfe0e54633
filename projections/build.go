package projections

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// rebuildBatch is how many events a rebuild folds in between two saves: what is
// lost when it is interrupted the hard way.
const rebuildBatch = 1 << 22

// errBehind tells that the live view was begun anew while it was rebuilt.
var errBehind = errors.New("the live view has been begun anew meanwhile; try again when it has caught up")

// build makes a view a second time, up to where the live one is.
type build struct {
	set     *Set
	maker   *maker
	marker  *marker
	scratch *scratch // where the view is made; nil: beside the live one
	meter   *meter
	resumed domain.Position // where it goes on
	goal    domain.Position // of the pass under way
}

// report compares the view, which is only a little behind, with the live one.
func (b *build) report(ctx context.Context) (Report, error) {
	report := Report{Projection: b.maker.projection.Name, Resumed: b.resumed}
	var err error
	report.Difference, err = b.compare(ctx)
	report.Position = b.maker.cursor
	report.Took = time.Since(b.meter.begin)
	return report, err
}

// foldTo folds up to where the live view stands.
func (b *build) foldTo(ctx context.Context, live standing) error {
	if live.saved == b.maker.cursor {
		return nil
	}
	for some, err := range records(ctx, b.set.log, b.maker.cursor+1) {
		if err != nil {
			return err
		}
		err := b.take(ctx, some, live.saved)
		if b.maker.cursor == live.saved {
			b.meter.at(uint64(live.saved), uint64(live.saved))
		}
		if err != nil || b.maker.cursor == live.saved {
			return err
		}
	}
	return nil
}

// take folds in records up to a position, and saves now and then.
func (b *build) take(ctx context.Context, records []domain.Record, goal domain.Position) error {
	before := b.maker.cursor
	if err := b.maker.takeAll(upTo(records, goal)); err != nil {
		return err
	}
	if b.maker.cursor/rebuildBatch != before/rebuildBatch {
		return b.save(ctx)
	}
	return nil
}

// meet folds and saves up to exactly where the live view stands. b.set.mu is
// held, so that it stands still.
func (b *build) meet(ctx context.Context) (live *liveMaker, err error) {
	if !b.set.readOnly {
		if err := b.set.save(); err != nil {
			return nil, err
		}
	}
	live, err = b.set.maker(b.maker.projection.Name)
	if err != nil {
		return nil, err
	}
	if live.saved < b.maker.cursor {
		return nil, errBehind
	}
	if err := b.foldTo(ctx, standing{live.projection, live.saved}); err != nil {
		return nil, err
	}
	return live, b.save(ctx)
}

// compare compares the views as of one position. The live one stands still only
// until a read transaction has been opened on it.
func (b *build) compare(ctx context.Context) (d *Difference, err error) {
	unlock := sync.OnceFunc(b.set.mu.Unlock)
	b.set.mu.Lock()
	defer unlock()
	if _, err := b.meet(ctx); err != nil {
		return nil, err
	}
	err = b.set.read(func(tx *bbolt.Tx) error {
		unlock()
		d, err = b.compareIn(tx)
		return err
	})
	if d != nil {
		d.Position = b.maker.cursor
	}
	return d, err
}

func (b *build) compareIn(tx *bbolt.Tx) (d *Difference, err error) {
	name := b.maker.projection.Name
	home := find(tx, liveRoot, name)
	if home == nil {
		return nil, &StaleError{name, notStored}
	}
	against := func(tx *bbolt.Tx) error {
		d = compare(home.Bucket(viewKey), find(tx, rebuildRoot, name).Bucket(viewKey))
		return nil
	}
	if b.scratch == nil {
		return d, against(tx)
	}
	err = b.scratch.db.View(against)
	return d, err
}

// save writes what has been made. What is made for the time being is never taken up
// again, and needs no mark.
func (b *build) save(ctx context.Context) (err error) {
	write := b.set.write
	if b.scratch != nil {
		write = b.scratch.db.Update
	} else if b.maker.mark, err = b.marker.to(ctx, b.maker.cursor); err != nil {
		return err
	}
	if err := write(b.maker.save); err != nil {
		return err
	}
	b.maker.saved, b.maker.stored = b.maker.cursor, true
	return nil
}

// swap puts the view in the live one's place.
func (b *build) swap(ctx context.Context) error {
	b.set.mu.Lock()
	defer b.set.mu.Unlock()
	live, err := b.meet(ctx)
	if err != nil {
		return err
	}
	if err := b.set.write(b.move); err != nil {
		return err
	}
	b.maker.root = liveRoot
	live.maker = b.maker
	return nil
}

// move drops the live view and moves the rebuilt one to its place.
func (b *build) move(tx *bbolt.Tx) error {
	name := []byte(b.maker.projection.Name)
	live, rebuilt := tx.Bucket(liveRoot), tx.Bucket(rebuildRoot)
	if err := live.DeleteBucket(name); err != nil {
		return err
	}
	return rebuilt.MoveBucket(name, live)
}
