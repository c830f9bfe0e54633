package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
)

// Log is the part of an event log that projections need.
type Log interface {
	ID() domain.LogID
	eventstore.Reader
}

// Set is the projections of one log, in one file. It is safe for concurrent
// use.
type Set struct {
	path     string
	log      Log
	logger   *slog.Logger
	readOnly bool

	// mu guards what feeds the views. Where both locks are taken, mu is first.
	mu         sync.Mutex
	all        []Projection
	makers     []*liveMaker
	marker     *marker
	saved      chan struct{} // closed and replaced when a save is durable
	running    bool
	failed     error // what ended the last CatchUp or Run
	unloaded   bool  // what is in memory does not count, and could not be loaded anew
	rebuilding map[string]bool

	// file is held while the file is in use, and alone while it is replaced.
	file sync.RWMutex
	db   *bbolt.DB
}

// liveMaker makes the view that answers.
type liveMaker struct {
	*maker
	stopped error // why it takes no more; nil while it does
}

func (m *liveMaker) unsaved() bool { return m.maker.unsaved() }

// Open opens the file of views at path, which is made if it is missing, and made
// anew if it is damaged. Views that do not fit the log or the projections are
// dropped, each with a line in the log of the program. [Set.CatchUp] or
// [Set.Run] then brings them up to date. A file that another process has open
// is an *eventstore.InUseError.
func Open(path string, log Log, logger *slog.Logger, projections ...Projection) (*Set, error) {
	s := newSet(path, log, logger, projections)
	db, err := openFile(path, logger)
	if err != nil {
		return nil, err
	}
	s.db = db
	if err := s.loadAll(); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// OpenReadOnly opens the file of views at path to ask and to check them as they
// are. It writes nothing. A view that does not fit answers with a *StaleError.
func OpenReadOnly(path string, log Log, projections ...Projection) (*Set, error) {
	s := newSet(path, log, slog.New(slog.DiscardHandler), projections)
	s.readOnly = true
	db, err := openBolt(path, true)
	if err != nil {
		return nil, err
	}
	s.db = db
	if err := s.loadAll(); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func newSet(path string, log Log, logger *slog.Logger, all []Projection) *Set {
	return &Set{
		path: path, log: log, logger: logger,
		all:        all,
		marker:     newMarker(log),
		saved:      make(chan struct{}),
		rebuilding: make(map[string]bool),
	}
}

// Close closes the file, after the queries under way. Run must have returned.
func (s *Set) Close() error {
	s.file.Lock()
	defer s.file.Unlock()
	return s.db.Close()
}

// loadAll takes up every stored view that fits, and replaces the file if reading
// shows that it is damaged.
func (s *Set) loadAll() error {
	err := s.tryLoad()
	var damage *DamageError
	if !errors.As(err, &damage) || s.readOnly {
		return err
	}
	if err := s.replace(damage); err != nil {
		return err
	}
	return s.tryLoad()
}

func (s *Set) tryLoad() error {
	makers := make([]*liveMaker, len(s.all))
	for i, p := range s.all {
		m, err := s.load(p)
		if err != nil {
			return err
		}
		makers[i] = m
	}
	s.makers = makers
	return nil
}

// load takes up one stored view, or drops it.
func (s *Set) load(p Projection) (*liveMaker, error) {
	m := newMaker(p, liveRoot, s.log.ID())
	err := s.read(func(tx *bbolt.Tx) error { return m.load(tx, func(a about) string { return misfit(s.marker, a) }) })
	var stale *StaleError
	switch {
	case !errors.As(err, &stale):
		return &liveMaker{maker: m}, err
	case s.readOnly:
		return &liveMaker{maker: m, stopped: err}, nil
	case stale.Reason != notStored:
		s.logger.Warn("a stored view is not usable and is made again from the log", "projection", p.Name, "reason", stale.Reason)
	}
	m = newMaker(p, liveRoot, s.log.ID())
	return &liveMaker{maker: m}, s.write(m.discard)
}

// misfit tells why a view cannot have been made from the log as it is now;
// empty if it can.
func misfit(m *marker, a about) string {
	last := m.log.Last()
	switch {
	case a.Cursor > last:
		return fmt.Sprintf("it ends at position %d, and the log at %d: if no backup was restored, events are missing", a.Cursor, last)
	case a.Cursor == 0:
		return ""
	case a.Mark.Tail == nil:
		return "an earlier version of rollcall has made it"
	}
	fits, err := m.fits(context.Background(), a.Mark, a.Cursor)
	if err != nil {
		return err.Error()
	}
	if !fits {
		return fmt.Sprintf("up to position %d the log has other records than those it was made of", a.Cursor)
	}
	return ""
}

// replace sets the damaged file aside and begins a new one. The old one is not
// closed: bbolt may have panicked with its own locks held, and Close would wait
// for them for ever. Its handle lasts as long as the process.
func (s *Set) replace(damage *DamageError) error {
	s.file.Lock()
	defer s.file.Unlock()
	db, err := replaceFile(s.path, damage, s.logger)
	if err != nil {
		return err
	}
	s.db = db
	return nil
}

func (s *Set) read(f func(*bbolt.Tx) error) error {
	s.file.RLock()
	defer s.file.RUnlock()
	return guard(s.path, func() error { return s.db.View(f) })
}

func (s *Set) write(f func(*bbolt.Tx) error) error {
	if s.readOnly {
		return ErrReadOnly
	}
	s.file.RLock()
	defer s.file.RUnlock()
	return roomError(guard(s.path, func() error { return s.db.Update(f) }))
}

// View calls read with the view of a projection as it was saved last. A view
// that was never saved is a *StaleError.
func (s *Set) View(projection string, read func(Snapshot) error) error {
	return s.read(func(tx *bbolt.Tx) error { return s.snapshot(tx, projection, read) })
}

func (s *Set) snapshot(tx *bbolt.Tx, projection string, read func(Snapshot) error) error {
	home := find(tx, liveRoot, projection)
	if home == nil {
		return &StaleError{projection, notStored}
	}
	a, err := readAbout(home)
	if err != nil {
		return err
	}
	return read(Snapshot{Position: a.Cursor, Rows: home.Bucket(viewKey)})
}

// maker gives the live maker of that name. s.mu is held.
func (s *Set) maker(name string) (*liveMaker, error) {
	for _, m := range s.makers {
		if m.projection.Name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%q: %w", name, ErrUnknownProjection)
}

// Names gives the names of the projections, in the order in which Open got them.
func (s *Set) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.makers))
	for i, m := range s.makers {
		names[i] = m.projection.Name
	}
	return names
}

var _ Source = (*Set)(nil)
