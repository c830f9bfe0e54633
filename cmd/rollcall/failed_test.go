package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/cmd/rollcall/internal/config"
	"rollcall/eventstore"
)

// TestAFailureIsOneLineOfTheLog gives the end of a part what several of its
// goroutines say.
func TestAFailureIsOneLineOfTheLog(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "log.db", Err: syscall.ENOSPC}
	for _, test := range []struct {
		name string
		json bool
		err  error
		want string
		code int
	}{
		{"a full disk, three times", false, failed(errors.Join(full, full, fmt.Errorf("stop: %w", full))),
			"level=ERROR msg=\"rollcall has ended with an error\" reason=\"write log.db: no space left on device; stop: write log.db: no space left on device\" next=\"free space on the disk of the data folder, then start again\"\n", exitData},
		{"a full log", true, failed(eventstore.ErrFull),
			`{"level":"ERROR","msg":"rollcall has ended with an error","reason":"there is no room for the log to grow; make room on its disk","next":"free space on the disk of the data folder, then start again"}` + "\n", exitData},
		{"joined around", false, errors.Join(failed(full), errors.New("close")),
			"level=ERROR msg=\"rollcall has ended with an error\" reason=\"write log.db: no space left on device; close\" next=\"free space on the disk of the data folder, then start again\"\n", exitData},
		{"not started, for a program", true, errors.New("no port"),
			`{"level":"ERROR","msg":"rollcall has ended with an error","reason":"no port"}` + "\n", exitFailure},
		{"not started, for a person", false, errors.New("no port"), "rollcall: no port\n", exitFailure},
		{"no failure", true, failed(nil), "", exitOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			var errOut bytes.Buffer
			a := newApp(os.Stdin, &bytes.Buffer{}, &errOut)
			log := slog.New(timeless{newLogger(&errOut, config.Log{Format: config.Format{JSON: test.json}}).Handler()})
			err := logFailure(log, test.json, test.err)
			code := exitOK
			if err != nil {
				a.explain(a.root(), err)
				code = exitCode(err)
			}
			if diff := cmp.Diff(test.want, errOut.String()); diff != "" {
				t.Error(diff)
			}
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
		})
	}
}

// timeless is a handler that leaves the time out.
type timeless struct{ slog.Handler }

func (h timeless) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return h.Handler.Handle(ctx, r)
}
