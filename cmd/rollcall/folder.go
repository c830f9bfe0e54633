package main

import (
	"fmt"
	"os"
)

// makeFolder makes the data folder, for its owner alone, where it is missing.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the data folder cannot be made: %w; make %s writable for the user that rollcall runs as, or choose another folder with --data", err, dir)
	}
	return nil
}
