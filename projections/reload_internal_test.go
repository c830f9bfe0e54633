package projections

import (
	"log/slog"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore/logtest"
	"rollcall/eventstore/memlog"
)

// tally counts the records it is shown, and saves how many since it last did.
type tally struct{ new uint64 }

func (*tally) Load(*bbolt.Bucket) error    { return nil }
func (f *tally) Apply(domain.Record) error { f.new++; return nil }
func (f *tally) Save(view *bbolt.Bucket) error {
	seq := view.Sequence() + f.new
	f.new = 0
	return view.SetSequence(seq)
}

// While nothing can be written, not even the views be loaded anew, none is forgotten:
// when writing goes on, each has every record once.
func TestViewsThatCannotBeLoadedAnew(t *testing.T) {
	log := memlog.New()
	defer log.Close()
	logtest.Fill(t, log, 100, 10)
	path := filepath.Join(t.TempDir(), "projections.db")
	all := []Projection{
		{Name: "a", Version: 1, New: func() Fold { return &tally{} }},
		{Name: "b", Version: 1, New: func() Fold { return &tally{} }},
	}
	s, err := Open(path, log, slog.New(slog.DiscardHandler), all...)
	if err != nil {
		t.Fatal(err)
	}
	whole := s.db
	s.db, err = bbolt.Open(filepath.Join(t.TempDir(), "other.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.CatchUp(t.Context()); err == nil {
			t.Error("CatchUp succeeds where nothing can be written")
		}
	}
	s.db = whole
	defer s.Close()
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		err := s.View(p.Name, func(v Snapshot) error {
			if n := v.Rows.Sequence(); n != 100 || v.Position != 100 {
				t.Errorf("%s has %d records as of %d, want 100", p.Name, n, v.Position)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
