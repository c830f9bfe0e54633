package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// makeFolder makes the data folder, for its owner alone, where it is missing.
func makeFolder(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	var at *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOTDIR) && errors.As(err, &at):
		return &exitError{exitData, fmt.Errorf("the data folder cannot be made: %s is a file; name a folder with --data", at.Path)}
	}
	return fmt.Errorf("the data folder cannot be made: %w; make %s writable for the user that rollcall runs as, or choose another folder with --data", err, dir)
}
