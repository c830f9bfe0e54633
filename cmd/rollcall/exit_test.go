package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/control"
	"rollcall/eventstore"
)

// logErrors has every error that package eventstore declares, and the exit code
// that it comes to.
var logErrors = map[string]struct {
	err  error
	code int
}{
	"ErrClosed":     {eventstore.ErrClosed, exitFailure}, // of a moment; nobody can do anything about it
	"ErrFailed":     {eventstore.ErrFailed, exitData},
	"ErrReadOnly":   {eventstore.ErrReadOnly, exitData},
	"ErrFull":       {eventstore.ErrFull, exitData},
	"ConflictError": {&eventstore.ConflictError{Expected: 1, Actual: 2}, exitFailure}, // ours
	"BatchError":    {&eventstore.BatchError{Problem: "two"}, exitFailure},            // ours
	"InUseError":    {&eventstore.InUseError{Path: "log.db", PID: 3}, exitData},
	"FormatError":   {&eventstore.FormatError{Path: "log.db", Found: 9, Newest: 1}, exitDamage},
	"DamageError":   {&eventstore.DamageError{Path: "log.db", From: 4, To: 5, Problem: "six"}, exitDamage},
	"ChainError":    {&eventstore.ChainError{Path: "log.db", From: 8, To: 9}, exitDamage},
	"CopyError":     {&eventstore.CopyError{Path: "log.db", Problem: "seven"}, exitData},
}

// refusing is an operator that answers with an error.
type refusing struct {
	control.Operator
	err error
}

func (r *refusing) Sessions(context.Context) ([]control.Session, error) { return nil, r.err }

// Every error of the log has its exit code, here and over the socket.
func TestEveryErrorOfTheLog(t *testing.T) {
	source, err := os.ReadFile("../../eventstore/errors.go")
	check(t, err)
	declared := regexp.MustCompile(`(?m)^\s*(?:var )?(Err\w+) += |^type (\w+Error) `).FindAllStringSubmatch(string(source), -1)
	if len(declared) != len(logErrors) {
		t.Errorf("package eventstore declares %d errors, this test knows %d", len(declared), len(logErrors))
	}
	for _, match := range declared {
		name := match[1] + match[2]
		t.Run(name, func(t *testing.T) {
			known, ok := logErrors[name]
			if !ok {
				t.Fatal("this test does not know it: which exit code has it?")
			}
			for where, err := range map[string]error{"here": fmt.Errorf("append: %w", known.err), "over the socket": overSocket(t, known.err)} {
				if code := exitCode(err); code != known.code {
					t.Errorf("%s: exit code %d, want %d", where, code, known.code)
				}
				if !keepsIdentity(err, known.err) {
					t.Errorf("%s it is no %T %v any more: %v", where, known.err, known.err, err)
				}
			}
		})
	}
}

// keepsIdentity tells whether errors.Is or errors.As finds in err what want is.
func keepsIdentity(err, want error) bool {
	if errors.Is(err, want) {
		return true
	}
	found := reflect.New(reflect.TypeOf(want))
	return found.Elem().Kind() == reflect.Pointer && errors.As(err, found.Interface()) && cmp.Equal(found.Elem().Interface(), want)
}

// overSocket gives an error as a command gets it from an appliance.
func overSocket(t *testing.T, err error) error {
	t.Helper()
	dir := t.TempDir()
	server, listenErr := control.Listen(dir, errorKinds...)
	check(t, listenErr)
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- server.Serve(ctx, &refusing{err: err}) }()
	defer func() {
		stop()
		<-over
		server.Close()
	}()
	client, dialErr := control.Dial(t.Context(), dir, errorKinds...)
	check(t, dialErr)
	_, answer := client.Sessions(t.Context())
	return answer
}
