package sametime

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// total is the documented capacity of one Sametime community server.
const total = 10_000

// The intervals of a conversation.
const (
	dialPatience   = 10 * time.Second
	writePatience  = 10 * time.Second // for one write
	framePatience  = 30 * time.Second // for the rest of a frame that has begun
	answerPatience = 10 * time.Second // for the server's, or a recipient's, word on what Send needs
	quietTime      = 30 * time.Second // after which a keep-alive is due
	deadAfter      = 90 * time.Second // without an acknowledgement of TCP's, the connection counts as dead
)

// dialFunc opens a TCP connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Connector opens Sametime conversations. It is safe for concurrent use.
type Connector struct {
	dial   dialFunc
	logger *slog.Logger
}

var _ broker.Connector = (*Connector)(nil)

// New gives a connector. It logs when a password crosses the network in the clear,
// and what servers do that cannot be worked with.
func New(logger *slog.Logger) *Connector {
	dialer := &net.Dialer{Timeout: dialPatience, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: quietTime, Interval: quietTime / 2, Count: 3}}
	return &Connector{dial: dialer.DialContext, logger: logger}
}

// Kind gives [domain.KindSametime].
func (*Connector) Kind() domain.Kind { return domain.KindSametime }

// Total is 10,000, the documented capacity of one community server.
func (*Connector) Total() domain.Optional[uint32] { return domain.Some[uint32](total) }

// Check gives a *[domain.SettingError] where an option is unknown or cannot be
// worked with. It reads the ca-file.
func (*Connector) Check(settings domain.Settings) error {
	_, err := parseSettings(settings)
	return err
}

// Login logs in on a connection of the session's own, see [broker.Connector].
func (c *Connector) Login(ctx context.Context, login broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	o, err := parseSettings(login.Settings)
	if err != nil {
		return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the service's settings: " + err.Error(), Err: err}
	}
	if login.Account == "" {
		return nil, &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "the account has no name"}
	}
	logger := c.logger.With("session", login.Session)
	n, err := c.open(ctx, o, logger, login.Account, login.Password)
	if err != nil {
		return nil, err
	}
	conv := newConversation(o, logger, n, sink)
	if err := conv.begin(ctx, n); err != nil {
		return nil, err
	}
	return conv, nil
}

// begin starts the reader and waits for the roster.
func (c *Conversation) begin(ctx context.Context, n *negotiation) error {
	release := n.guard(ctx)
	defer release()
	c.alive = time.AfterFunc(quietTime, c.keepAlive)
	go c.run()
	select {
	case <-c.ready:
	case <-c.done:
		if !c.isReady() {
			return failure(ctx, "fetch the contact list", c.cause)
		}
	case <-ctx.Done():
	}
	if release(); ctx.Err() != nil {
		c.abandon()
		_ = c.settled(context.Background()) // never fails without an end
		return failure(ctx, "fetch the contact list", ctx.Err())
	}
	_ = n.conn.SetDeadline(time.Time{}) // a deadline that the context set just now would outlive it
	return nil
}

var errLoggedOut = errors.New("logged out")
