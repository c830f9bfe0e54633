package groupwise

import (
	"cmp"
	"context"
	"net"
	"time"

	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// total is how many sessions a Messaging Agent takes unless it is set otherwise.
const total = 5120

const (
	defaultPort   = "8300"
	dialPatience  = 10 * time.Second // for one connection to be made
	writePatience = 10 * time.Second // for one write that has no deadline of its own
	readPatience  = 20 * time.Second // for the rest of a message that has begun
	pingInterval  = time.Minute      // at most; the server may ask for less
	pingPatience  = 30 * time.Second // for a sign of life behind a ping
)

// userAgent is what the connector calls itself; no server is known to care.
const userAgent = "Rollcall/1.0"

// Connector opens GroupWise Messenger conversations. It is safe for concurrent
// use.
type Connector struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

var _ broker.Connector = (*Connector)(nil)

// New gives a connector.
func New() *Connector {
	return &Connector{(&net.Dialer{Timeout: dialPatience}).DialContext}
}

// Kind gives [domain.KindGroupWise].
func (*Connector) Kind() domain.Kind { return domain.KindGroupWise }

// Total gives 5,120, the default of the server's own limit.
func (*Connector) Total() domain.Optional[uint32] { return domain.Some[uint32](total) }

// Check gives a *[domain.SettingError] where an option is unknown or cannot be
// worked with. It reads the ca-file.
func (*Connector) Check(settings domain.Settings) error {
	_, err := parseSettings(settings)
	return err
}

// Login logs in on a connection of the session's own, see [broker.Connector]. The
// person is available from then on.
func (c *Connector) Login(ctx context.Context, login broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	o, err := parseSettings(login.Settings)
	if err != nil {
		return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the service's settings: " + err.Error(), Err: err}
	}
	conn, err := c.connect(ctx, o)
	if err != nil {
		return nil, err
	}
	v := newConversation(conn, o, sink)
	go v.run()
	if err := v.signOn(ctx, login); err != nil {
		v.abandon(err)
		<-v.done
		return nil, err
	}
	v.deliver()
	return v, nil
}

// connect opens a connection and puts TLS on it.
func (c *Connector) connect(ctx context.Context, o *options) (net.Conn, error) {
	conn, err := c.dial(ctx, "tcp", o.address)
	if err != nil {
		return nil, failure(ctx, "connect to "+o.address, err)
	}
	return o.secure(ctx, conn)
}

// signOn logs in, and tells that the person is available, as all clients do.
func (v *Conversation) signOn(ctx context.Context, login broker.UpstreamLogin) error {
	host, _, _ := net.SplitHostPort(v.conn.LocalAddr().String())
	request := wire.Login{
		User: login.Account, Password: login.Password, UserAgent: userAgent, Level: wire.LevelMessenger, Address: cmp.Or(host, "0.0.0.0"),
	}
	known := make(chan error, 1)
	err := v.request(ctx, wire.CommandLogin, request.Fields(), func(r *wire.Response, err error) {
		if err == nil {
			err = v.welcome(r)
		}
		known <- err
	})
	if err != nil {
		return failure(ctx, "log in", err)
	}
	select {
	case err = <-known:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return failure(ctx, "log in", err)
	}
	if _, err := v.ask(ctx, wire.CommandSetStatus, wire.SetStatus{Status: wire.StatusAvailable}.Fields()); err != nil && resultOf(err) == wire.OK {
		return failure(ctx, "tell that the person is available", err)
	}
	return nil
}
