package failpoint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"rollcall/eventstore/boltlog/internal/failpoint"
)

// A place that All leaves out is one at which no test ever kills a process.
func TestAllIsEveryPlace(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "failpoint.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, value := range spec.Values {
			if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING {
				place, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				places = append(places, place)
			}
		}
		return true
	})
	if all := failpoint.All(); !slices.Equal(places, all) {
		t.Errorf("All() = %v, want the constants in their order: %v", all, places)
	}
}
