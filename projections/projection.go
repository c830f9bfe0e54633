package projections

import (
	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// Projection says how a view is made.
type Projection struct {
	// Name names the view, in the file and to people.
	Name string
	// Version is raised whenever the same log gives other rows than before; a
	// view of another version is made anew.
	Version uint32
	// New gives the fold of an empty log.
	New func() Fold
}

// Fold is a view in the making. One goroutine at a time uses it.
type Fold interface {
	// Load takes up a stored view. It is called at most once, before Apply.
	Load(view *bbolt.Bucket) error
	// Apply folds in one record; they come by ascending positions without a
	// gap. An event that the fold has no meaning for is an
	// *[UnknownEventError] and changes nothing. The event is not to be kept:
	// its memory is used again when Apply has returned.
	Apply(r domain.Record) error
	// Save writes the rows that changed since it last did. If the transaction
	// fails afterwards, the fold is of no more use.
	Save(view *bbolt.Bucket) error
}

// Snapshot is a view as of one position. It is valid until the function that
// was given it returns.
type Snapshot struct {
	// Position is that of the last record in the view.
	Position domain.Position
	// Rows are the view's keys and values.
	Rows *bbolt.Bucket
}

// Source gives snapshots of views by name. A [Set] is one. It is safe for
// concurrent use.
type Source interface {
	View(projection string, read func(Snapshot) error) error
}
