package projections

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore/logtest"
	"rollcall/eventstore/memlog"
)

// While records are folded in and not saved yet, the save of a rebuild fails, after
// which the views stand where they were saved last. Whoever feeds them reads again from
// there, and no view stops.
func TestSaveOfARebuildFails(t *testing.T) {
	log := memlog.New()
	defer log.Close()
	logtest.Fill(t, log, 10, 10)
	all := Projection{Name: "a", Version: 1, New: func() Fold { return &tally{} }}
	s, err := Open(filepath.Join(t.TempDir(), "projections.db"), log, slog.New(slog.DiscardHandler), all)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	logtest.Fill(t, log, 20, 20)
	var some []domain.Record
	for r, err := range log.Read(t.Context(), 11) {
		if err != nil {
			t.Fatal(err)
		}
		some = append(some, r)
	}
	if err := s.takeNew(some[:10], false); err != nil {
		t.Fatal(err)
	}
	withoutWriting(t, s, func() {
		b := &build{set: s, maker: newMaker(all, rebuildRoot, log.ID()), marker: newMarker(log)}
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, err := b.meet(t.Context()); err == nil {
			t.Error("the rebuild saves where nothing can be written")
		}
	})
	if err := s.takeNew(some[10:], true); !errors.Is(err, errAnew) {
		t.Errorf("taking what comes next = %v, want %v", err, errAnew)
	}
	if err := s.CatchUp(t.Context()); err != nil {
		t.Error(err)
	}
	err = s.View("a", func(v Snapshot) error {
		if n := v.Rows.Sequence(); n != 30 || v.Position != 30 {
			t.Errorf("the view has %d records as of %d, want 30", n, v.Position)
		}
		return nil
	})
	if err = errors.Join(append(s.Stopped(), err)...); err != nil {
		t.Error(err)
	}
}

// withoutWriting does work while the views can be read and not written.
func withoutWriting(t *testing.T, s *Set, work func()) {
	t.Helper()
	open := func(options *bbolt.Options) {
		t.Helper()
		err := s.db.Close()
		if err == nil {
			s.db, err = bbolt.Open(s.path, 0o600, options)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	open(&bbolt.Options{ReadOnly: true})
	work()
	open(nil)
}
