package codec_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"rollcall/domain"
)

// docs/events.md has a chapter for each event under its number, with a line for
// each of its fields, and names every code and cause.
func TestDocsAreComplete(t *testing.T) {
	b, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := string(b)
	file := schema(t)
	events := file.Messages().ByName("Record").Oneofs().ByName("event").Fields()
	for _, typ := range domain.EventTypes() {
		field := events.ByName(fieldName(typ))
		_, chapter, found := strings.Cut(docs, fmt.Sprintf("\n### `%v` (%d)\n", typ, field.Number()))
		if !found {
			t.Errorf("%v has no chapter with its number", typ)
			continue
		}
		chapter, _, _ = strings.Cut(chapter, "\n##")
		checkFields(t, chapter, field.Message())
	}
	for name, text := range map[protoreflect.Name]func(protoreflect.EnumNumber) string{
		"RejectCode": func(n protoreflect.EnumNumber) string { return domain.RejectCode(n).String() },
		"EndCause":   func(n protoreflect.EnumNumber) string { return domain.EndCause(n).String() },
	} {
		for i := 1; i < file.Enums().ByName(name).Values().Len(); i++ {
			n := file.Enums().ByName(name).Values().Get(i).Number()
			if row := fmt.Sprintf("\n| %d | `%s` |", n, text(n)); !strings.Contains(docs, row) {
				t.Errorf("%s: there is no row %q", name, row)
			}
		}
	}
}

// checkFields looks for the row of each field, those of messages in it included.
func checkFields(t *testing.T, chapter string, m protoreflect.MessageDescriptor) {
	t.Helper()
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if row := fmt.Sprintf("\n| %d `%s` |", f.Number(), f.Name()); !strings.Contains(chapter, row) {
			t.Errorf("%s: there is no row %q", m.Name(), row)
		}
		if f.Message() != nil && !f.IsMap() {
			checkFields(t, chapter, f.Message())
		}
	}
}
