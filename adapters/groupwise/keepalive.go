package groupwise

import (
	"context"
	"time"

	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// checkAlive pings the server every minute, and gives the connection up where
// nothing has come back half a minute later. While the sink holds the reader up,
// silence means nothing.
func (v *Conversation) checkAlive() {
	now := time.Now()
	v.mu.Lock()
	if v.ended {
		v.mu.Unlock()
		return
	}
	asked := !v.askedAt.IsZero()
	silent := asked && v.heardAt.Before(v.askedAt) && !v.queue.isBlocked()
	switch {
	case asked:
		v.askedAt = time.Time{}
		v.alive.Reset(pingInterval - pingPatience)
	default:
		v.askedAt = now
		v.alive.Reset(pingPatience)
	}
	v.mu.Unlock()
	switch {
	case silent:
		v.breakOff(&broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "the server no longer answers"})
	case !asked:
		_ = v.request(context.Background(), wire.CommandPing, nil, func(*wire.Response, error) {}) // a failure breaks the connection
	}
}
