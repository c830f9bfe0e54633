//go:build !linux

package inbox

import (
	"errors"
	"os"
)

func allocate(*os.File, int64, int64) error { return errors.ErrUnsupported }

// unlock does nothing: the lock goes with the process.
func unlock(*os.File) error { return nil }
