package settings_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/internal/settings"
	"rollcall/domain"
)

// read keeps what its parsers are given.
type read struct{ texts []string }

func (r *read) keep(text string) error {
	r.texts = append(r.texts, text)
	return nil
}

var errNever = errors.New("it never fits")

var parsers = settings.Parsers[read]{
	"size":   (*read).keep,
	"colour": (*read).keep,
	"never":  func(*read, string) error { return errNever },
}

func TestParse(t *testing.T) {
	unknown := &domain.SettingError{Setting: "shape", Problem: "no such option of a test service", Next: "use one of colour, never, size"}
	for name, c := range map[string]struct {
		given map[string]string
		want  []string
		err   string
	}{
		"nothing":                      {nil, nil, ""},
		"in the order of the names":    {map[string]string{"size": "2", "colour": "blue"}, []string{"blue", "2"}, ""},
		"an empty text is one too":     {map[string]string{"size": ""}, []string{""}, ""},
		"an option that is not known":  {map[string]string{"shape": "round", "size": "2"}, nil, unknown.Error()},
		"a parser's error as it is":    {map[string]string{"never": "x", "size": "2"}, nil, errNever.Error()},
		"names are told apart by case": {map[string]string{"Size": "2"}, nil, strings.Replace(unknown.Error(), "shape", "Size", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			var r read
			err := parsers.Parse(&r, "a test service", c.given)
			if got := message(err); got != c.err {
				t.Errorf("Parse = %q, want %q", got, c.err)
			}
			if diff := cmp.Diff(c.want, r.texts); diff != "" {
				t.Errorf("Parse read (-want +got):\n%s", diff)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]struct{ host, port string }{
		"im.example.org:1533": {"im.example.org", "1533"},
		"[::1]:65535":         {"::1", "65535"},
		"im.example.org":      {},
		"im.example.org:":     {},
		"im.example.org:0":    {},
		"im.example.org:-1":   {},
		"im.example.org:http": {},
		"host:65536":          {},
		":1533":               {},
		"::1:1533":            {},
		"":                    {},
	} {
		host, port, err := settings.Address(text, "give another")
		if host != want.host || port != want.port {
			t.Errorf("Address(%q) = %q, %q, want %q, %q", text, host, port, want.host, want.port)
		}
		var bad *domain.SettingError
		switch {
		case want.host != "" && err != nil:
			t.Errorf("Address(%q) = %v, want no error", text, err)
		case want.host == "" && (!errors.As(err, &bad) || bad.Setting != "address" || bad.Next != "give another"):
			t.Errorf("Address(%q) = %v, want a *domain.SettingError of the address", text, err)
		}
	}
}
