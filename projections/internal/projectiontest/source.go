package projectiontest

import (
	"log/slog"
	"path/filepath"
	"testing"

	"rollcall/domain"
	"rollcall/projections"
)

// Source gives the view of the records.
func Source(t testing.TB, p projections.Projection, records []domain.Record) projections.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "projections.db")
	set, err := projections.Open(path, Log(t, records), slog.New(slog.DiscardHandler), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = set.Close() })
	if err := set.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return set
}
