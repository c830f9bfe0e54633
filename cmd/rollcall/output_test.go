package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"plain text", "Ada Lovelace, 世界 ✓", "Ada Lovelace, 世界 ✓"},
		{"Hebrew stays as it is", "שלום", "שלום"},
		{"escapes of a terminal", "a\x1b[2Jb\u009b1m\x7f", "a\uFFFD[2Jb\uFFFD1m\uFFFD"},
		{"lines become one", "a\nb\tc\u2028d\u2029e", "a b c d e"},
		{"embeddings and overrides", "a\u202A\u202B\u202C\u202D\u202Eb", "a" + strings.Repeat("\uFFFD", 5) + "b"},
		{"isolates", "a\u2066\u2067\u2068\u2069b", "a" + strings.Repeat("\uFFFD", 4) + "b"},
		{"marks", "a\u200E\u200F\u061Cb", "a" + strings.Repeat("\uFFFD", 3) + "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := printable(test.text); got != test.want {
				t.Errorf("printable(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}

// TestErrorsCannotRewriteTheScreen gives an error what a stranger may have put
// into it.
func TestErrorsCannotRewriteTheScreen(t *testing.T) {
	var out, errOut bytes.Buffer
	newApp(os.Stdin, &out, &errOut).execute(context.Background(), []string{"service", "\x1b]0;owned\a\u202Etxt", "set"})
	if got := errOut.String(); strings.ContainsAny(got, "\x1b\a\u202E") || !strings.Contains(got, "owned") {
		t.Errorf("printed %q, want it without control characters", got)
	}
	errOut.Reset()
	a := newApp(os.Stdin, &out, &errOut)
	a.explain(a.root(), errors.New("upstream says \x1b[2J\nrollcall: all is well"))
	if got, want := errOut.String(), "rollcall: upstream says \uFFFD[2J\n  rollcall: all is well\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
