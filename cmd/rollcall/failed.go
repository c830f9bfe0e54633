package main

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"syscall"

	"rollcall/eventstore"
)

// failedError tells why a part ended that had been running.
type failedError struct{ err error }

func (e *failedError) Error() string { return e.err.Error() }

func (e *failedError) Unwrap() error { return e.err }

// failed makes a *failedError of an error.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failedError{err}
}

// logFailure writes the last line of a log: why the part is over, and what to do
// next. A part that has not started yet tells whoever starts it, unless that is a
// program, which reads JSON. The error that it gives needs no more words.
func logFailure(log *slog.Logger, json bool, err error) error {
	var ran *failedError
	if err == nil || !errors.As(err, &ran) && !json {
		return err
	}
	words := []any{"reason", reason(err)}
	if next := nextStep(err); next != "" {
		words = append(words, "next", next)
	}
	log.Error("rollcall has ended with an error", words...)
	return &exitError{code: exitCode(err)}
}

// reason gives what an error says in one line, and nothing twice: several parts
// may have met with the same.
func reason(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// nextStep tells what to do about an error that does not say it.
func nextStep(err error) string {
	switch {
	case isAny(eventstore.ErrFull, syscall.ENOSPC, syscall.EDQUOT)(err):
		return "free space on the disk of the data folder, then start again"
	case isAny(eventstore.ErrFailed, syscall.EIO, syscall.EROFS)(err):
		return "look after the disk of the data folder, then start again: what devices were told is on it"
	}
	return ""
}
