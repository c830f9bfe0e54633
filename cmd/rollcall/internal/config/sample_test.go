package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/cmd/rollcall/internal/config"
)

// The sample in docs/operating.md names every setting, and says what holds where
// nothing is said.
func TestDocumentedSampleIsTheDefault(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```toml\n")
	sample, _, _ := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the page has no sample")
	}
	got, err := config.Load(config.Sources{File: write(t, sample)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got, prefixes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the sample differs from the defaults (-default +sample):\n%s", diff)
	}
	for _, key := range config.Keys() {
		name := key[strings.LastIndex(key, ".")+1:]
		if !strings.Contains(sample, "\n"+name+" = ") {
			t.Errorf("the sample does not have %s", key)
		}
	}
}
