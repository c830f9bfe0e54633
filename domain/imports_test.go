package domain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The directions in which this module's packages may import each other, by the
// first element of their paths.
var mayImport = map[string][]string{
	"domain":      {"domain"},
	"eventstore":  {"eventstore", "domain"},
	"projections": {"projections", "eventstore", "domain"},
	"adapters":    {"adapters", "domain"},
	"cmd":         {"cmd", "adapters", "projections", "eventstore", "domain"},
}

// Who may import what is kept to a few. The inbox is where the broker keeps
// what devices have not seen yet. The commands' tests may import it too: they
// damage the files.
var keptTo = map[string][]string{
	"go.etcd.io/bbolt":           {"eventstore/boltlog", "projections", "inbox"},
	"github.com/nats-io/nats.go": {"eventstore/natslog"},
}

// file is one Go file as far as these rules look at it.
type file struct {
	name    string // slash-separated, from the module's root
	test    bool
	imports []string
	syntax  *ast.File
}

func (f file) pkg() string { return path.Dir(f.name) }

func TestImportDirections(t *testing.T) {
	for _, f := range moduleFiles(t, "..") {
		top, _, _ := strings.Cut(f.name, "/")
		for _, to := range f.imports {
			if problem := f.mayNot(top, to); problem != "" {
				t.Errorf("%s imports %s: %s", f.name, to, problem)
			}
		}
	}
}

func (f file) mayNot(top, to string) string {
	if allowed, kept := keptTo[to]; kept && !(f.test && top == "cmd") {
		if !slices.ContainsFunc(allowed, func(a string) bool { return within(f.pkg(), a) || path.Base(f.pkg()) == a }) {
			return "only " + strings.Join(allowed, ", ") + " may"
		}
		return ""
	}
	inner, ours := strings.CutPrefix(to, "rollcall/")
	if !ours {
		return f.mayNotOutside(top, to)
	}
	if f.test {
		return f.testMayNot(top, inner)
	}
	allowed, known := mayImport[top]
	toTop, _, _ := strings.Cut(inner, "/")
	switch {
	case !known:
		return "the folder " + top + " is not one of the tree's"
	case !slices.Contains(allowed, toTop):
		return top + " imports " + strings.Join(allowed, ", ") + " only"
	case f.pkg() == "domain" && inner != "domain":
		return "the rules know nothing of what uses them"
	case top == "adapters" && toTop == "adapters" && !sameAdapter(f.pkg(), inner) && !strings.HasSuffix(path.Base(f.pkg()), "test"):
		return "adapters do not know each other"
	}
	return ""
}

// testMayNot lets tests use suites and the small in-memory log as well.
func (f file) testMayNot(top, inner string) string {
	test := f
	test.test = false
	suite := strings.HasSuffix(path.Base(inner), "test") || inner == "eventstore/memlog" || inner == "eventstore"
	if suite {
		return ""
	}
	return test.mayNot(top, "rollcall/"+inner)
}

// mayNotOutside keeps libraries out of the domain.
func (f file) mayNotOutside(top, to string) string {
	first, _, _ := strings.Cut(to, "/")
	if top == "domain" && !f.test && strings.Contains(first, ".") && to != "github.com/google/uuid" {
		return "the domain needs the standard library and google/uuid only"
	}
	return ""
}

// sameAdapter tells whether b belongs to the adapter a or to what all adapters
// share.
func sameAdapter(a, b string) bool {
	return within(b, "adapters/internal") || strings.Split(a, "/")[1] == strings.Split(b, "/")[1]
}

func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

// notPure are the packages of the standard library that bring a clock of their
// own, chance or the outside world.
var notPure = []string{"context", "crypto/rand", "io", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "runtime", "sync", "sync/atomic", "syscall"}

// notPureNames are what package time has of that kind.
var notPureNames = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// TestRulesArePure looks through package domain itself for a clock, goroutines
// and I/O.
func TestRulesArePure(t *testing.T) {
	for _, f := range moduleFiles(t, "..") {
		if f.pkg() != "domain" || f.test {
			continue
		}
		for _, to := range f.imports {
			if slices.Contains(notPure, to) {
				t.Errorf("%s imports %s", f.name, to)
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", f.name)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(notPureNames, n.Sel.Name) {
					t.Errorf("%s uses time.%s", f.name, n.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestEveryPackageSaysWhatItIs wants a package comment in a doc.go of each
// package that has more than tests and is not generated.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := make(map[string]bool)
	for _, f := range moduleFiles(t, "..") {
		if !f.test {
			said[f.pkg()] = said[f.pkg()] || ast.IsGenerated(f.syntax) || path.Base(f.name) == "doc.go" && f.syntax.Doc != nil
		}
	}
	for pkg, ok := range said {
		if !ok {
			t.Errorf("%s has no doc.go with a package comment", pkg)
		}
	}
}

// moduleFiles parses every Go file of the module.
func moduleFiles(t *testing.T, root string) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isModule(name)) {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		files = append(files, parse(t, root, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found: the rules were checked against nothing")
	}
	return files
}

// isModule tells whether a folder is a module of its own, with rules of its own.
func isModule(name string) bool {
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

func parse(t *testing.T, root, name string) file {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := filepath.Rel(root, name)
	if err != nil {
		t.Fatal(err)
	}
	f := file{name: filepath.ToSlash(inner), test: strings.HasSuffix(name, "_test.go"), syntax: syntax}
	for _, i := range syntax.Imports {
		to, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		f.imports = append(f.imports, to)
	}
	return f
}

// TestImportRulesBite gives the rules files that break them.
func TestImportRulesBite(t *testing.T) {
	cases := []struct {
		name, to string
		allowed  bool
	}{
		{"domain/ledger.go", "maps", true},
		{"domain/ids.go", "github.com/google/uuid", true},
		{"domain/ledger.go", "go.etcd.io/bbolt", false},
		{"domain/ledger.go", "github.com/google/go-cmp/cmp", false},
		{"domain/ledger.go", "rollcall/domain/broker", false},
		{"domain/broker/broker.go", "rollcall/domain", true},
		{"domain/broker/broker.go", "rollcall/eventstore", false},
		{"domain/broker/broker_test.go", "rollcall/eventstore/memlog", true},
		{"domain/broker/broker_test.go", "rollcall/eventstore/boltlog", false},
		{"eventstore/boltlog/log.go", "rollcall/domain", true},
		{"eventstore/boltlog/log.go", "go.etcd.io/bbolt", true},
		{"eventstore/memlog/log.go", "go.etcd.io/bbolt", false},
		{"eventstore/memlog/log.go", "rollcall/projections", false},
		{"projections/sessions/view.go", "go.etcd.io/bbolt", true},
		{"projections/sessions/view.go", "rollcall/adapters/xmpp", false},
		{"adapters/xmpp/login.go", "rollcall/domain/broker", true},
		{"adapters/xmpp/login.go", "rollcall/adapters/xmpp/stanza", true},
		{"adapters/xmpp/login.go", "rollcall/adapters/local", false},
		{"adapters/xmpp/login.go", "rollcall/adapters/internal/listen", true},
		{"adapters/internal/listen/listen.go", "rollcall/adapters/xmpp", false},
		{"adapters/xmpp/login.go", "rollcall/adapters/connectortest", false},
		{"adapters/xmpp/login_test.go", "rollcall/adapters/connectortest", true},
		{"adapters/xmpp/login_test.go", "rollcall/adapters/local", false},
		{"adapters/xmpp/login.go", "rollcall/eventstore", false},
		{"cmd/rollcall/run.go", "rollcall/adapters/xmpp", true},
		{"cmd/rollcall/run.go", "go.etcd.io/bbolt", false},
		{"cmd/rollcall/data_test.go", "go.etcd.io/bbolt", true},
		{"util/util.go", "rollcall/domain", false},
	}
	for _, c := range cases {
		f := file{name: c.name, test: strings.HasSuffix(c.name, "_test.go")}
		top, _, _ := strings.Cut(c.name, "/")
		if problem := f.mayNot(top, c.to); (problem == "") != c.allowed {
			t.Errorf("%s imports %s: %q, want allowed: %v", c.name, c.to, problem, c.allowed)
		}
	}
}
