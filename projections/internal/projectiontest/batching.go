package projectiontest

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/projections"
)

// AnyBatching checks that a view comes out the same however its records are cut
// into saves, and wherever the fold is lost after a save and taken up again.
func AnyBatching(t *testing.T, p projections.Projection) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "view.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	rapid.Check(t, func(rt *rapid.T) {
		records, _ := Draw(rt)
		want := folded(rt, db, p, records, func() int { return 0 })
		got := folded(rt, db, p, records, func() int { return rapid.IntRange(0, 3).Draw(rt, "then") })
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("view (-in one go +in batches):\n%s", diff)
		}
	})
}

// What may happen behind a record; any other number is nothing.
const (
	save   = 1
	reload = 2
)

// folded folds the records and gives the rows as text. The view is rolled back.
func folded(rt *rapid.T, db *bbolt.DB, p projections.Projection, records []domain.Record, then func() int) string {
	tx, err := db.Begin(true)
	if err != nil {
		rt.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	view, err := tx.CreateBucket([]byte("view"))
	if err != nil {
		rt.Fatal(err)
	}
	f := p.New()
	must := func(err error) {
		if err != nil {
			rt.Fatal(err)
		}
	}
	for _, r := range records {
		must(f.Apply(r))
		switch then() {
		case save:
			must(f.Save(view))
		case reload:
			must(f.Save(view))
			f = p.New()
			must(f.Load(view))
		}
	}
	must(f.Save(view))
	return Dump(view)
}
