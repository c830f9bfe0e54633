package xmpp_test

import (
	"context"
	"sync/atomic"

	"rollcall/domain/broker"
)

// acking is a connector whose conversations acknowledge all that they delivered
// when they log out, as a broker does whose device has everything. What is not
// acknowledged comes again with the next login, and would spill from one case of
// the suite into the next.
type acking struct{ broker.Connector }

type ackingConversation struct {
	broker.Conversation
	last *atomic.Uint64
}

func (a acking) Login(ctx context.Context, login broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	s := &countingSink{Sink: sink}
	conv, err := a.Connector.Login(ctx, login, s)
	if err != nil {
		return nil, err
	}
	return ackingConversation{conv, &s.last}, nil
}

func (c ackingConversation) Logout(ctx context.Context) error {
	c.Acknowledge(c.last.Load())
	return c.Conversation.Logout(ctx)
}

type countingSink struct {
	broker.Sink
	last atomic.Uint64
}

func (s *countingSink) Deliver(seq uint64, e broker.UpstreamEvent) {
	s.last.Store(seq)
	s.Sink.Deliver(seq, e)
}
