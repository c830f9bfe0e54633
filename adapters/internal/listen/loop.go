package listen

import (
	"context"
	"errors"
	"net"
	"time"
)

// How long the loop waits after a failed accept; it doubles up to the longest.
const (
	shortestWait = 5 * time.Millisecond
	longestWait  = time.Second
)

// Loop accepts connections and gives each to take, which must not block. It
// closes ln and returns nil when ctx ends. A listener that somebody else closes
// ends it with an error; any other failure to accept (too many open files, out
// of buffers) is counted and tried again after a growing wait, because what
// causes it goes away when connections do.
func Loop(ctx context.Context, ln net.Listener, tally *Tally, take func(net.Conn)) error {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	wait := shortestWait
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			wait = shortestWait
			take(conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			tally.Add("accept failed; raise the limit of open files (ulimit -n) if it is too low", "error", err)
			pause(ctx, wait)
			wait = min(2*wait, longestWait)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
