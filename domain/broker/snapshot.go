package broker

import (
	"context"
	"log/slog"
	"sync"

	"rollcall/domain"
)

// Snapshots keeps what was made of the log, so that opening reads only what came
// after. It keeps one: the last. It is safe for concurrent use.
type Snapshots interface {
	// Load gives the snapshot that is kept; ok is false where there is none. One
	// that was made of another history than the log's, or that cannot be read, is
	// an error, which says why.
	Load(ctx context.Context) (s Snapshot, ok bool, err error)
	// Newest gives the last position that a snapshot can be taken at; zero if there
	// is none yet. It costs nothing to ask.
	Newest() domain.Position
	// Save keeps a snapshot in the place of the last. It was taken at a position
	// that Newest gave.
	Save(ctx context.Context, s Snapshot) error
}

// Snapshot is what was made of the log, up to the ledger's position. There is no
// personal data in it.
type Snapshot struct {
	Ledger domain.State
	// Ended are the sessions that ended last, the oldest first.
	Ended []Ended
}

const (
	// snapshotEvery is how many events a start is to read at most, but for what
	// is not packed.
	snapshotEvery = 250_000
	// snapshotAtStop is how many events make a snapshot worth its while when the
	// broker stops.
	snapshotAtStop = 20_000
)

// folding is what is made of the log.
type folding struct {
	ledger  *domain.Ledger
	endings endings
}

func newFolding() *folding { return &folding{ledger: domain.NewLedger()} }

// read folds what follows, up to a position.
func (f *folding) read(ctx context.Context, log Log, to domain.Position) error {
	if f.ledger.Position() >= to {
		return nil
	}
	for records, err := range log.Blocks(ctx, f.ledger.Position()+1) {
		if err != nil {
			return err
		}
		for _, r := range records {
			if r.Position > to {
				return nil
			}
			f.endings.follow(f.ledger, r.Event)
			f.ledger.Apply(r)
		}
	}
	return nil
}

func (f *folding) snapshot() Snapshot {
	return Snapshot{Ledger: f.ledger.State(), Ended: f.endings.view()}
}

// restored gives the folding that a snapshot was taken of.
func restored(s Snapshot) (*folding, error) {
	l, err := domain.Restore(s.Ledger)
	if err != nil {
		return nil, err
	}
	f := &folding{ledger: l}
	f.endings.restore(s.Ended)
	return f, nil
}

// keeper sees to it that there is a snapshot which is not too old. It makes the next
// one of the last and of what the log holds behind that, beside the broker, whose own
// ledger it does not look at: no decision waits for it, and what it makes follows
// from the log alone.
type keeper struct {
	log       Log
	snapshots Snapshots // may be nil
	logger    *slog.Logger
	ctx       context.Context // ends when nobody waits for a snapshot any more
	giveUp    context.CancelFunc
	making    sync.WaitGroup

	mu      sync.Mutex
	busy    bool            // one is being made
	reached domain.Position // where the last was taken, or was to be
}

func newKeeper(log Log, snapshots Snapshots, logger *slog.Logger) *keeper {
	k := &keeper{log: log, snapshots: snapshots, logger: logger}
	k.ctx, k.giveUp = context.WithCancel(context.Background())
	return k
}

// open gives what the whole log makes. Where much of it has to be read, a snapshot
// is taken on the way.
func (k *keeper) open(ctx context.Context) (*folding, error) {
	const end = ^domain.Position(0)
	if k.snapshots == nil {
		f := newFolding()
		return f, f.read(ctx, k.log, end)
	}
	f := k.last(ctx)
	k.reached = f.ledger.Position()
	if newest, ok := k.due(snapshotEvery); ok {
		if err := f.read(ctx, k.log, newest); err != nil {
			return nil, err
		}
		s := f.snapshot()
		k.making.Go(func() { k.done(k.snapshots.Save(k.ctx, s)) })
	}
	return f, f.read(ctx, k.log, end)
}

// last gives the folding that the snapshot holds, and an empty one where there is
// none that can be used.
func (k *keeper) last(ctx context.Context) *folding {
	s, ok, err := k.snapshots.Load(ctx)
	if err == nil && ok {
		var f *folding
		if f, err = restored(s); err == nil {
			return f
		}
	}
	if err != nil {
		k.logger.Info("the snapshot is not used; the log is read from its beginning", "reason", err)
	}
	return newFolding()
}

// due tells whether a snapshot can be taken so many events behind the last one, and
// where. The caller then makes it.
func (k *keeper) due(events domain.Position) (newest domain.Position, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	newest = k.snapshots.Newest()
	if k.busy || newest < k.reached+events {
		return 0, false
	}
	k.busy, k.reached = true, newest
	return newest, true
}

// look has a snapshot made where one is due. It waits for nobody.
func (k *keeper) look() {
	if k.snapshots == nil {
		return
	}
	if newest, ok := k.due(snapshotEvery); ok {
		k.making.Go(func() { k.done(k.take(k.ctx, newest)) })
	}
}

// take makes the snapshot at a position.
func (k *keeper) take(ctx context.Context, at domain.Position) error {
	f := k.last(ctx)
	if err := f.read(ctx, k.log, at); err != nil {
		return err
	}
	return k.snapshots.Save(ctx, f.snapshot())
}

// done notes how a snapshot came out. After a failure the next one is due as if it
// had been made.
func (k *keeper) done(err error) {
	if err != nil && k.ctx.Err() == nil {
		k.logger.Warn("no snapshot could be kept; the next start reads more of the log", "reason", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = false
}

// stop has the last snapshot made, as far as ctx lasts. Nothing is written any more.
func (k *keeper) stop(ctx context.Context) {
	wait(ctx, &k.making)
	if k.snapshots != nil {
		if newest, ok := k.due(snapshotAtStop); ok {
			k.done(k.take(ctx, newest))
		}
	}
	k.close()
}

// close gives up the snapshot that is being made.
func (k *keeper) close() {
	k.giveUp()
	k.making.Wait()
}
