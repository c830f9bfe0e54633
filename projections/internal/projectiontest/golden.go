package projectiontest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"rollcall/projections"
)

var update = flag.Bool("update", false, "rewrite the expected views in testdata")

// Golden folds the events of each testdata/*.txtar and compares the rows with
// those in the same file, which -update rewrites.
func Golden(t *testing.T, p projections.Projection) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/*.txtar: %d files, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { golden(t, p, path) })
	}
}

func golden(t *testing.T, p projections.Projection, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Files) != 2 || a.Files[0].Name != "events" || a.Files[1].Name != "view" {
		t.Fatalf("%s: want the files events and view", path)
	}
	got := Fold(t, p, Records(t, string(a.Files[0].Data)))
	if *update {
		a.Files[1].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(a), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
}
