package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// parsePosition reads the name of a session or a device in either of its forms:
// its number in the log, or the UUID derived from that. A UUID is found by
// deriving those of every position from the last one down, which takes about a
// second for each five million events.
func parsePosition(ctx context.Context, op control.Operator, text string) (domain.Position, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 {
		return domain.Position(n), nil
	}
	wanted, err := uuid.Parse(text)
	if err != nil {
		return 0, &usageError{fmt.Errorf("%.60q is neither a number nor a UUID of a session or device; see 'rollcall sessions list' and 'rollcall device list'", text)}
	}
	status, err := op.Status(ctx)
	if err != nil {
		return 0, err
	}
	for p := status.Position; p > 0; p-- {
		if domain.LogID(status.Log).UUID(p) == wanted {
			return p, nil
		}
	}
	return 0, &exitError{exitUnknown, fmt.Errorf("nothing in this log has the UUID %s; every log has its own: name the right one with --data, or see 'rollcall sessions list'", wanted)}
}
