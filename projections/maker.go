package projections

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// The names of buckets and keys; see the package comment.
var (
	liveRoot    = []byte("live")
	rebuildRoot = []byte("rebuild")
	viewKey     = []byte("view")
	aboutKey    = []byte("about")
)

// about says what a stored view was made of.
type about struct {
	Version uint32          `json:"version"`
	Log     string          `json:"log"`
	Cursor  domain.Position `json:"cursor"`
	Mark    mark            `json:"mark"` // of the records up to the cursor
}

// maker makes one view in one place: it folds, counts, and saves.
type maker struct {
	projection Projection
	root       []byte
	log        domain.LogID
	fold       Fold
	cursor     domain.Position
	mark       mark // of the cursor, when the view is to be saved

	// What is durable: the view as of saved, if stored.
	saved  domain.Position
	stored bool
}

func newMaker(p Projection, root []byte, log domain.LogID) *maker {
	return &maker{projection: p, root: root, log: log, fold: p.New()}
}

// takeAll folds in records, but for those that are in the view already.
func (m *maker) takeAll(records []domain.Record) error {
	for i := range records {
		r := &records[i]
		if r.Position <= m.cursor {
			continue
		}
		if r.Position != m.cursor+1 {
			return &GapError{Expected: m.cursor + 1, Actual: r.Position}
		}
		if err := m.fold.Apply(*r); err != nil {
			return err
		}
		m.cursor = r.Position
	}
	return nil
}

func (m *maker) unsaved() bool { return !m.stored || m.saved != m.cursor }

// save writes the view's changes and the cursor, with its mark.
func (m *maker) save(tx *bbolt.Tx) error {
	if !m.unsaved() {
		return nil
	}
	home, err := m.home(tx)
	if err != nil {
		return err
	}
	if err := m.fold.Save(home.Bucket(viewKey)); err != nil {
		return fmt.Errorf("save view %s: %w", m.projection.Name, err)
	}
	value, err := json.Marshal(about{m.projection.Version, m.log.String(), m.cursor, m.mark})
	if err != nil {
		return err
	}
	return home.Put(aboutKey, value)
}

// home gives the view's bucket, made if it is not there.
func (m *maker) home(tx *bbolt.Tx) (*bbolt.Bucket, error) {
	root, err := tx.CreateBucketIfNotExists(m.root)
	if err != nil {
		return nil, err
	}
	home, err := root.CreateBucketIfNotExists([]byte(m.projection.Name))
	if err != nil {
		return nil, err
	}
	_, err = home.CreateBucketIfNotExists(viewKey)
	return home, err
}

// load takes up the stored view. A view that is not there, or is not usable, is
// a *StaleError.
func (m *maker) load(tx *bbolt.Tx, valid func(about) string) error {
	stale := func(reason string) error { return &StaleError{m.projection.Name, reason} }
	home := find(tx, m.root, m.projection.Name)
	if home == nil {
		return stale(notStored)
	}
	a, err := readAbout(home)
	if err != nil {
		return stale(err.Error())
	}
	if a.Version != m.projection.Version {
		return stale(fmt.Sprintf("it has version %d, and this version of rollcall makes version %d", a.Version, m.projection.Version))
	}
	if a.Log != m.log.String() {
		return stale("it was made from another log, " + a.Log)
	}
	if reason := valid(a); reason != "" {
		return stale(reason)
	}
	if err := m.fold.Load(home.Bucket(viewKey)); err != nil {
		return stale(err.Error())
	}
	m.cursor, m.saved, m.stored = a.Cursor, a.Cursor, true
	return nil
}

func readAbout(home *bbolt.Bucket) (a about, err error) {
	if err := json.Unmarshal(home.Get(aboutKey), &a); err != nil {
		return a, fmt.Errorf("its cursor cannot be read: %w", err)
	}
	return a, nil
}

const notStored = "there is none"

// discard removes the stored view.
func (m *maker) discard(tx *bbolt.Tx) error {
	root := tx.Bucket(m.root)
	if root == nil || root.Bucket([]byte(m.projection.Name)) == nil {
		return nil
	}
	return root.DeleteBucket([]byte(m.projection.Name))
}

// find gives the bucket of a stored view, or nil.
func find(tx *bbolt.Tx, root []byte, name string) *bbolt.Bucket {
	top := tx.Bucket(root)
	if top == nil {
		return nil
	}
	home := top.Bucket([]byte(name))
	if home == nil || home.Bucket(viewKey) == nil {
		return nil
	}
	return home
}
