package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errReaderGone tells that nobody reads what is printed any more.
var errReaderGone = errors.New("nobody reads the output any more")

// untilNobodyWaits gives a context that ends where nobody waits for the command
// any more: at a hangup, and where whoever read its output has gone. A command
// then cleans up as at an interrupt, where it would otherwise just be ended.
// A second hangup ends it at once; after nohup there is none.
func (a *app) untilNobodyWaits(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // from now on writing tells
	ctx, cancel := context.WithCancelCause(ctx)
	if f, ok := a.out.(*os.File); ok && !terminal(f) {
		a.out = &watchedOutput{to: a.out, gone: func() { cancel(errReaderGone) }}
	}
	if signal.Ignored(syscall.SIGHUP) {
		return ctx, cancel
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	return ctx, cancel
}

// watchedOutput tells when the other end of a pipe is gone.
type watchedOutput struct {
	to   io.Writer
	gone func()
}

func (w *watchedOutput) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		w.gone()
	}
	return n, err
}
