package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLine(t *testing.T) {
	for _, test := range []struct {
		line string
		want wish
		bad  bool
	}{
		{line: "@bob hello there\n", want: wish{Send: &wishSend{To: "bob", Body: "hello there"}}},
		{line: "  @bob@xmpp.test   hi \r\n", want: wish{Send: &wishSend{To: "bob@xmpp.test", Body: "hi"}}},
		{line: "/away out for lunch", want: wish{Presence: &wishPresence{Show: "away", Text: "out for lunch"}}},
		{line: "/available", want: wish{Presence: &wishPresence{Show: "available"}}},
		{line: "/logout", want: wish{Logout: new(struct{})}},
		{line: "\n"},
		{line: "@bob", bad: true},
		{line: "/dance", bad: true},
		{line: "hello", bad: true},
	} {
		got, err := parseLine(test.line)
		if (err != nil) != test.bad {
			t.Errorf("parseLine(%q) = %v", test.line, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("parseLine(%q): %s", test.line, diff)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-02-28T09:30:00Z":      "2026-02-28T09:30:00.000Z",
		"2026-02-28T09:30:00+02:00": "2026-02-28T07:30:00.000Z",
		"2026-02-28 09:30":          "2026-02-28T09:30:00.000Z",
		"2026-02-28":                "2026-02-28T00:00:00.000Z",
		"90m":                       "2026-03-01T10:30:00.000Z",
		"-90m":                      "2026-03-01T10:30:00.000Z",
	} {
		got, err := parseTime(text, now)
		if err != nil || stamp(got) != want {
			t.Errorf("parseTime(%q) = %s, %v, want %s", text, stamp(got), err, want)
		}
	}
}

// FuzzInput gives a client's input and an event's fields anything: an error or a
// wish, and no control characters come out again.
func FuzzInput(f *testing.F) {
	f.Add(`{"send":{"to":"bob","body":"hello"}}`)
	f.Add(`{"presence":{"show":"away","text":"\u001b[2J"}}`)
	f.Add("@bob hello")
	f.Add(`{"settings":{"kind":"local","options":{"a":"b c"}},"limit":3,"on":true}`)
	f.Fuzz(func(t *testing.T, text string) {
		if w, err := parseJSON(text); err == nil && w == (wish{}) && strings.TrimSpace(text) != "" {
			t.Errorf("parseJSON(%q) asks for nothing, without an error", text)
		}
		_, _ = parseLine(text)
		parts := fieldParts(json.RawMessage(text))
		if out := printable(strings.Join(parts, " ")); strings.ContainsAny(out, "\x1b\n\x00") {
			t.Errorf("%q comes out as %q", text, out)
		}
	})
}
