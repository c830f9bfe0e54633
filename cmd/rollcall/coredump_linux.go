package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// forbidCoreDumps keeps what is in this process's memory, passwords among it, out
// of core files, and away from debuggers of the same user. The limit alone would
// not do where the kernel hands cores to a program.
func forbidCoreDumps() error {
	limited := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	private := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if err := errors.Join(limited, private); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	return nil
}
