package config

import (
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// The values below are structs, not named basic types: the TOML decoder would
// fill those without asking UnmarshalText.

// Duration is a span of time that is written like "90s" or "1h30m".
type Duration struct{ time.Duration }

// UnmarshalText reads a duration with its unit; a bare number is refused,
// because it could mean anything.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = ParseDuration(string(text))
	return err
}

// ParseDuration reads a positive duration such as "90s".
func ParseDuration(text string) (time.Duration, error) {
	v, err := time.ParseDuration(text)
	switch {
	case err != nil && TooLong(text):
		return 0, fmt.Errorf("%.40q is too long; write a shorter time, such as \"90s\"", text)
	case err != nil:
		return 0, fmt.Errorf("%.40q is not a duration; write a number and its unit, such as \"90s\", \"20m\" or \"1h30m\"", text)
	case v <= 0:
		return 0, fmt.Errorf("%.40q is not a time to wait; write one above zero, such as \"90s\"", text)
	}
	return v, nil
}

// TooLong tells that a text that is no duration would be one if its numbers were
// smaller.
func TooLong(text string) bool {
	_, err := time.ParseDuration(text)
	_, smaller := time.ParseDuration(number.ReplaceAllString(text, "1"))
	return err != nil && smaller == nil
}

var number = regexp.MustCompile(`[0-9]+`)

// Level is the least severity that is logged: debug, info, warn or error.
type Level struct{ slog.Level }

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// UnmarshalText reads a level.
func (l *Level) UnmarshalText(text []byte) error {
	level, ok := levels[string(text)]
	if !ok {
		return fmt.Errorf("%.40q is not a level; write one of debug, info, warn, error", text)
	}
	l.Level = level
	return nil
}

// Format is how log lines look: text or json.
type Format struct{ JSON bool }

// UnmarshalText reads a format.
func (f *Format) UnmarshalText(text []byte) error {
	switch string(text) {
	case "text":
		f.JSON = false
	case "json":
		f.JSON = true
	default:
		return fmt.Errorf("%.40q is not a format; write one of text, json", text)
	}
	return nil
}
