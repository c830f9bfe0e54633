package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// maxPassword bounds what is read as a password.
const maxPassword = 1024

// password reads a password: from the file if one is named, by asking where a
// person sits at the terminal, else as the first line of standard input. With
// twice it is asked for again.
func (a *app) password(ctx context.Context, file, prompt string, twice bool) (string, error) {
	switch {
	case file != "":
		return passwordFile(file)
	case term.IsTerminal(int(a.stdin.Fd())):
		return a.ask(ctx, prompt, twice)
	}
	line, err := a.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	return checkPassword(line, "standard input")
}

func passwordFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPassword+2))
	switch {
	case errors.Is(err, syscall.EISDIR):
		return "", &usageError{fmt.Errorf("%s is a folder; name a file whose first line is the password", path)}
	case err != nil:
		return "", fmt.Errorf("read the password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return checkPassword(line, path)
}

func (a *app) ask(ctx context.Context, prompt string, twice bool) (string, error) {
	first, err := a.askOnce(ctx, prompt)
	if err != nil || !twice {
		return first, err
	}
	second, err := a.askOnce(ctx, "Again: ")
	if err == nil && first != second {
		err = errors.New("the two passwords differ; nothing was changed")
	}
	return first, err
}

func (a *app) askOnce(ctx context.Context, prompt string) (string, error) {
	text, err := a.unseen(ctx, prompt)
	switch {
	case errors.Is(err, io.EOF):
		return "", &usageError{errors.New("no password was given; nothing was changed")}
	case errors.Is(err, errPromptLeft):
		return "", err
	case err != nil:
		return "", fmt.Errorf("read the password from the terminal: %w", err)
	}
	return checkPassword(text, "the terminal")
}

func checkPassword(line, from string) (string, error) {
	password := strings.TrimRight(line, "\r\n")
	switch {
	case password == "":
		return "", &usageError{fmt.Errorf("%s holds no password; give it on the first line", from)}
	case len(password) > maxPassword:
		return "", &usageError{fmt.Errorf("the password from %s is longer than %d bytes", from, maxPassword)}
	}
	return password, nil
}
