package projections_test

import (
	"path/filepath"
	"testing"

	"rollcall/domain"
	"rollcall/eventstore/boltlog"
	"rollcall/projections"
	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/sessions"
)

// What two histories have in common, and how each goes on: with other records at the
// same positions, at the same times, of which the last is the same.
const (
	begun = story + `
+60s coverage-lost Session=3 Silent=30s
`
	wentOn = `
+600s coverage-regained Session=3
+0s device-enrolled Person=1 Offer=1
`
	wentOnOtherwise = `
+600s session-ended Session=3 Cause=1
+0s device-enrolled Person=1 Offer=1
`
)

// A view of one history of a log is not taken for one of another, be it told by the
// log's chain of digests or by the records behind the chain's end.
func TestViewOfAnotherHistory(t *testing.T) {
	for _, c := range []struct {
		name   string
		packed bool // the chain reaches up to the end
	}{
		{"in the chain", true},
		{"behind the chain", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fixture{T: t, path: filepath.Join(t.TempDir(), "projections.db")}
			folder := filepath.Join(t.TempDir(), "log")
			log := f.boltLog(folder)
			f.appendTo(log, begun)
			backup := f.backup(log)
			f.appendTo(log, begun+wentOn)
			restored := f.boltLog(backup)
			f.appendTo(restored, begun+wentOnOtherwise)
			if c.packed {
				log, restored = f.boltLog(f.backup(log)), f.boltLog(f.backup(restored))
			}

			want := f.madeFrom(log)
			if again := f.madeFrom(log); again != want || f.said.Len() > 0 {
				t.Errorf("opened again: %q, %q logged; want %q, nothing logged", again, f.said.String(), want)
			}
			records := projectiontest.Records(t, begun+wentOnOtherwise)
			if got, want := f.madeFrom(restored), projectiontest.Fold(t, sessions.Projection(), records); got != want {
				t.Errorf("view of the restored log = %q, want %q", got, want)
			}
			if f.said.Len() == 0 {
				t.Error("nothing is said of a view that does not fit")
			}
		})
	}
}

// boltLog opens the log in a folder.
func (f *fixture) boltLog(folder string) *boltlog.Log {
	f.Helper()
	log, err := boltlog.Open(folder, boltlog.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = log.Close() })
	return log
}

// appendTo appends those of the records that the log does not have.
func (f *fixture) appendTo(log *boltlog.Log, text string) {
	f.Helper()
	last := log.Last()
	batch := domain.Batch{Records: projectiontest.Records(f, text)[last:]}
	if _, err := log.Append(f.Context(), last, batch); err != nil {
		f.Fatal(err)
	}
}

// backup gives a new folder with the log as of now.
func (f *fixture) backup(log *boltlog.Log) (folder string) {
	f.Helper()
	folder = f.TempDir()
	if err := log.Backup(f.Context(), filepath.Join(folder, "log.db")); err != nil {
		f.Fatal(err)
	}
	return folder
}

func (f *fixture) madeFrom(log projections.Log) string {
	f.Helper()
	s := f.openOn(log)
	defer f.close(s)
	f.catchUp(s)
	return f.dump(s, sessions.Name)
}
