package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errPromptLeft tells of an interrupt at a prompt.
var errPromptLeft = errors.New("interrupted; nothing was changed")

// unseen asks for a line at the terminal, and has the terminal not show what is
// typed. It gives io.EOF where the input ends in front of the line. However it comes
// out, by a signal too, the terminal is then as it was.
func (a *app) unseen(ctx context.Context, prompt string) (string, error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	showAgain, err := hideTyping(int(a.stdin.Fd()))
	if err != nil {
		return "", err
	}
	defer showAgain()
	fmt.Fprint(a.errOut, prompt)
	defer fmt.Fprintln(a.errOut) // the end of the line was not shown either

	type answer struct {
		text string
		err  error
	}
	typed := make(chan answer, 1)
	go func() { // which a signal leaves behind: nothing ends a read at a terminal
		text, err := readLine(a.stdin)
		typed <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", errPromptLeft
	case got := <-typed:
		return got.text, got.err
	}
}

// readLine reads up to the end of a line, and nothing behind it: that is for
// whoever reads next. What stands in front of the end of the input is a line, too.
func readLine(from io.Reader) (string, error) {
	var line []byte
	for next := make([]byte, 1); ; {
		n, err := from.Read(next)
		switch {
		case n == 1 && next[0] == '\n':
			return string(line), nil
		case n == 1 && len(line) <= maxPassword:
			line = append(line, next[0])
		case errors.Is(err, io.EOF) && len(line) > 0:
			return string(line), nil
		case err != nil:
			return "", err
		}
	}
}
