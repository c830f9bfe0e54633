package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/config"
)

// countFlag is a flag for a number of sessions that may stay unset.
type countFlag struct{ to **uint32 }

func (f countFlag) String() string {
	if f.to == nil || *f.to == nil {
		return ""
	}
	return fmt.Sprint(**f.to)
}

// Set reads the flag.
func (f countFlag) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fmt.Errorf("%.40q is not a number of sessions; give one such as 500", text)
	}
	*f.to = new(uint32(n))
	return nil
}

// Type gives the word for the value in the help.
func (countFlag) Type() string { return "N" }

// durationFlag is a flag for a duration that may stay unset.
type durationFlag struct{ to **control.Duration }

func (f durationFlag) String() string {
	if f.to == nil || *f.to == nil {
		return ""
	}
	return (*f.to).String()
}

// Set reads the flag. Whether the duration makes sense is for the rules to say.
func (f durationFlag) Set(text string) error {
	d, err := parseSpan(text)
	if err != nil {
		return err
	}
	*f.to = new(control.Duration(d))
	return nil
}

func parseSpan(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && config.TooLong(text):
		return 0, fmt.Errorf("%.40q is too long; give a shorter time, such as 720h", text)
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a duration; write a number and its unit, such as 90s, 20m or 1h30m", text)
	}
	return d, nil
}

// Type gives the word for the value in the help.
func (durationFlag) Type() string { return "DURATION" }

// spanFlag is a flag for how long something may take, up to the most that makes
// sense.
type spanFlag struct {
	to   *time.Duration
	most time.Duration
}

func (f spanFlag) String() string {
	if f.to == nil || *f.to == 0 {
		return ""
	}
	return f.to.String()
}

// Set reads the flag.
func (f spanFlag) Set(text string) error {
	d, err := parseSpan(text)
	switch {
	case err != nil:
		return err
	case d < time.Millisecond:
		return fmt.Errorf("%v is too short; give a time above zero, such as 15m", d)
	case d > f.most:
		return fmt.Errorf("%v is too long; give at most %.0fh", d, f.most.Hours())
	}
	*f.to = d
	return nil
}

// Type gives the word for the value in the help.
func (spanFlag) Type() string { return "DURATION" }

// numberFlag is a flag for a whole number. Which ones make sense is for the command
// to say.
type numberFlag struct{ to *int }

func (f numberFlag) String() string {
	if f.to == nil {
		return ""
	}
	return strconv.Itoa(*f.to)
}

// Set reads the flag.
func (f numberFlag) Set(text string) (err error) {
	if *f.to, err = strconv.Atoi(text); err != nil {
		return fmt.Errorf("%.40q is not a whole number; give one such as 10", text)
	}
	return nil
}

// Type gives the word for the value in the help.
func (numberFlag) Type() string { return "N" }

// textFlag is a flag for a text that may stay unset.
type textFlag[T ~string] struct {
	to   **T
	word string
}

func (f textFlag[T]) String() string {
	if f.to == nil || *f.to == nil {
		return ""
	}
	return string(**f.to)
}

// Set reads the flag.
func (f textFlag[T]) Set(text string) error {
	*f.to = new(T(text))
	return nil
}

// Type gives the word for the value in the help.
func (f textFlag[T]) Type() string { return f.word }

// folderFlag is a flag for a folder or a file, which has to have a name.
type folderFlag struct{ to *string }

func (f folderFlag) String() string {
	if f.to == nil {
		return ""
	}
	return *f.to
}

// Set reads the flag.
func (f folderFlag) Set(text string) error {
	if text == "" {
		return errors.New("it names no folder; give one, or leave the flag out")
	}
	*f.to = text
	return nil
}

// Type gives the word for the value in the help.
func (folderFlag) Type() string { return "DIR" }

// choiceFlag is a flag for one of a few words.
type choiceFlag struct {
	value string
	of    []string
	word  string
}

func (f *choiceFlag) String() string { return f.value }

// Set takes one of the words.
func (f *choiceFlag) Set(text string) error {
	if !slices.Contains(f.of, text) {
		return fmt.Errorf("%.40q is none of its values; give %s", text, anyOf(f.of))
	}
	f.value = text
	return nil
}

// Type gives the word for the value in the help.
func (f *choiceFlag) Type() string { return f.word }

// timeFlag is a flag for a point in time.
type timeFlag struct{ to *time.Time }

func (f timeFlag) String() string {
	if f.to == nil || f.to.IsZero() {
		return ""
	}
	return stamp(*f.to)
}

// Set reads the flag.
func (f timeFlag) Set(text string) (err error) {
	*f.to, err = parseTime(text, time.Now())
	return err
}

// Type gives the word for the value in the help.
func (timeFlag) Type() string { return "TIME" }

// layouts are the ways to write a time; those without a zone mean UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// parseTime reads a time, or how long before now it was.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if d, err := time.ParseDuration(strings.TrimPrefix(text, "-")); err == nil {
		return now.Add(-d).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%.40q is no time; write one such as 2026-03-01T09:30:00Z, \"2026-03-01 09:30\" (UTC), or 15m for a quarter of an hour ago", text)
}
