package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"
)

// outputFormat is the value of -o.
type outputFormat struct{ json bool }

func (f *outputFormat) String() string {
	if f.json {
		return "json"
	}
	return "table"
}

// Set reads the flag.
func (f *outputFormat) Set(text string) error {
	switch text {
	case "table", "json":
		f.json = text == "json"
		return nil
	}
	return fmt.Errorf("%.40q is no format; give table or json", text)
}

// Type gives the word for the value in the help.
func (f *outputFormat) Type() string { return "FORMAT" }

// list prints things: as a table under a header, or one JSON object a line.
func list[T any](a *app, header []string, items []T, row func(T) []string) error {
	if a.output.json {
		for _, item := range items {
			if err := writeJSON(a.out, item); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, item := range items {
		cells := row(item)
		for i, cell := range cells {
			cells[i] = printable(cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// report prints one thing: as a sentence, or as a JSON object.
func (a *app) report(v any, sentence string, args ...any) error {
	if a.output.json {
		return writeJSON(a.out, v)
	}
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = printable(text)
		}
	}
	_, err := fmt.Fprintf(a.out, sentence+"\n", args...)
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// stamp prints a time: UTC, whole milliseconds (RFC 3339).
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// orDash prints an optional value.
func orDash[T any](v *T) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(*v)
}

// name prints a text that may be empty.
func name(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

// printable keeps out of what strangers may have chosen whatever could rewrite
// the screen: control characters, and those that turn the direction of the text
// around (Unicode Standard Annex 9, section 2).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// printableLines is printable for a text of several lines: it keeps them, and
// sets all but the first in, so that none can pass for a message of its own.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n  ")
}

// terminal tells whether somebody reads f on a screen.
func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
