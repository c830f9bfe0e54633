package main

import (
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"rollcall/adapters/local"
	"rollcall/domain"
)

// TestConnectorsAreOfTheirKind holds the list of protocols to its connectors.
func TestConnectorsAreOfTheirKind(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	for i, c := range connectors(local.New(nil, logger), logger) {
		if got, want := c.Kind(), protocols[i].kind; got != want {
			t.Errorf("the connector listed as %s serves %s", want, got)
		}
	}
}

// TestEveryKindIsListed holds the list of protocols to the domain's kinds, as its
// source declares them.
func TestEveryKindIsListed(t *testing.T) {
	source, err := os.ReadFile("../../domain/service.go")
	check(t, err)
	declared := regexp.MustCompile(`(?m)^\s*Kind\w+\s+Kind = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) == 0 {
		t.Fatal("the domain declares no kind")
	}
	listed := make(map[string]bool)
	for _, kind := range kinds() {
		listed[kind] = true
	}
	for _, match := range declared {
		if !listed[match[1]] {
			t.Errorf("the domain knows %s, the list of protocols does not", match[1])
		}
	}
}

// TestEveryKindIsDocumented looks for each kind where people look for it.
func TestEveryKindIsDocumented(t *testing.T) {
	for page, link := range map[string]string{"../../README.md": "docs/protocols/", "../../docs/protocols/README.md": ""} {
		text, err := os.ReadFile(page)
		check(t, err)
		for _, kind := range kinds() {
			row := regexp.MustCompile("(?m)^\\| `" + kind + "` \\|.*\\(" + link + kind + `\.md\)`)
			if !row.Match(text) {
				t.Errorf("%s has no row for %s in its table of protocols", page, kind)
			}
		}
	}
}

// TestDomainNamesEveryKind holds the one text that does not come from the list to
// it: the domain's own, which knows no connectors.
func TestDomainNamesEveryKind(t *testing.T) {
	_, err := domain.Decide(domain.NewLedger(), domain.ConfigureService{Name: "office"})
	var refused *domain.SettingError
	if !errors.As(err, &refused) || refused.Setting != "kind" {
		t.Fatalf("a service without a kind gives %v", err)
	}
	for _, kind := range kinds() {
		if !strings.Contains(refused.Next, kind) {
			t.Errorf("%q does not name %s", refused, kind)
		}
	}
}

func TestAnyOf(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := anyOf(words); got != want {
			t.Errorf("anyOf(%q) = %q, want %q", words, got, want)
		}
	}
}
