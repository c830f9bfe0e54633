package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
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
		fmt.Fprintln(w, strings.Join(row(item), "\t"))
	}
	return w.Flush()
}

// report prints one thing: as a sentence, or as a JSON object.
func (a *app) report(v any, sentence string, args ...any) error {
	if a.output.json {
		return writeJSON(a.out, v)
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

// printable keeps control characters, which could rewrite the screen, out of
// what strangers may have chosen.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
