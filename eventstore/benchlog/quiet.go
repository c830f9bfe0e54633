package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// awaitQuiet waits until the processors have been idle, and waited for no disk,
// for nine tenths of a tenth of a second; at most so long. An error tells that ctx has
// ended.
func awaitQuiet(ctx context.Context, most time.Duration) error {
	for until := time.Now().Add(most); ctx.Err() == nil && time.Now().Before(until); {
		idle, all, err := ticks()
		if err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
		idleNow, allNow, err := ticks()
		if err != nil {
			return err
		}
		if 10*(idleNow-idle) >= 9*(allNow-all) {
			break
		}
	}
	return context.Cause(ctx)
}

// ticks gives how long the processors have been idle, and the whole time, since
// the machine started (proc_stat(5)).
func ticks() (idle, all int64, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		return 0, 0, fmt.Errorf("/proc/stat: %q", line)
	}
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if all += n; i == 3 {
			idle = n
		}
	}
	return idle, all, nil
}
