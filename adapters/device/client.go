package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

// Options are a device's own settings; the zero value has sound ones.
type Options struct {
	// Dial opens the connection to the server; the default is TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger takes how links come and go; the default drops it.
	Logger *slog.Logger
	// Answer is how long a login, resume or enrolment may take; the default is
	// a minute.
	Answer time.Duration
	// GiveUp is how long a session tries to come back into coverage; the default
	// is for ever.
	GiveUp time.Duration
	// FirstPause and LongestPause bound the growing pauses between attempts to
	// come back; the defaults are 1 s and 1 min.
	FirstPause, LongestPause time.Duration
}

func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAliveConfig: keepAliveConfig}).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Answer = or(o.Answer, time.Minute)
	o.FirstPause = or(o.FirstPause, time.Second)
	o.LongestPause = or(o.LongestPause, time.Minute)
	return o
}

// Client logs a device in. It is safe for concurrent use.
type Client struct {
	identity *Identity
	options  Options
}

// NewClient gives a client for the device of that identity.
func NewClient(i *Identity, o Options) *Client {
	return &Client{identity: i, options: o.withDefaults()}
}

// Login logs in to an account on a service. If the device has a session there
// already, that is superseded and forgotten. What earlier sessions with the account
// have sent without an answer is sent again, under the same ids; other accounts'
// messages wait for theirs, see [Identity.Left]. A refusal is a *[RejectedError], a server that cannot be reached a
// *[NoCoverageError], one that does not know the device [ErrNoAnswer]. The
// password is not kept.
func (c *Client) Login(ctx context.Context, service, account, password string) (*Session, error) {
	opening := openLogin(service, account, password)
	if err := checkOpening(opening); err != nil {
		return nil, err
	}
	ch, answer, err := c.askPatiently(ctx, opening)
	if err != nil {
		return nil, err
	}
	switch a := answer.(type) {
	case broker.Accepted:
		return c.begin(ch, service, account, a)
	case broker.Rejected:
		ch.conn.Close()
		return nil, &RejectedError{Session: a.Session, Code: a.Code, RetryAfter: a.RetryAfter, Text: a.Text}
	}
	ch.conn.Close()
	return nil, malformed("answer", "it does not answer a login")
}

func (c *Client) begin(ch *channel, service, account string, a broker.Accepted) (*Session, error) {
	saved := &savedSession{Session: uint64(a.Session), Account: account, Secret: a.Resume, Received: a.Received}
	err := c.identity.update(func(st *identityState) { st.begin(service, saved) })
	if err != nil {
		ch.conn.Close()
		return nil, err
	}
	s := newSession(c, service, *saved, ch, a.StatusInterval)
	s.news.epoch = a.Epoch
	return s, nil
}

// Resume gives the session that the identity holds on a service, or
// [ErrNoSession]. [Session.Run] takes it up.
func (c *Client) Resume(service string) (*Session, error) {
	saved, ok := c.identity.session(service)
	if !ok {
		return nil, fmt.Errorf("service %q: %w", service, ErrNoSession)
	}
	return newSession(c, service, saved, nil, 0), nil
}

// askPatiently is ask, which it tries again where the server is crowded, for as
// long as an answer may take.
func (c *Client) askPatiently(ctx context.Context, opening *linkpb.ToServer) (*channel, broker.ToDevice, error) {
	for began := time.Now(); ; {
		ch, answer, err := c.ask(ctx, opening)
		later := turn(err)
		if later == 0 || time.Since(began)+later > c.options.Answer {
			return ch, answer, err
		}
		if err := sleep(ctx, obey(later)); err != nil {
			return nil, nil, err
		}
	}
}

// ask opens a link and waits for the first message on it. The link is closed
// if that does not come.
func (c *Client) ask(ctx context.Context, opening *linkpb.ToServer) (*channel, broker.ToDevice, error) {
	began := time.Now()
	ch, m, err := c.exchange(ctx, opening)
	if err != nil {
		return nil, nil, coverage(ctx, began, err)
	}
	answer, err := fromServer(m)
	if err != nil {
		ch.conn.Close()
		return nil, nil, err
	}
	return ch, answer, nil
}

// coverage wraps what went wrong on the way to a server that was not reached.
func coverage(ctx context.Context, began time.Time, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrNoAnswer) || errors.Is(err, ErrTooLong) || errors.As(err, new(*VersionError)) {
		return err
	}
	return &NoCoverageError{For: time.Since(began), Err: err}
}

func (c *Client) exchange(ctx context.Context, opening *linkpb.ToServer) (*channel, *linkpb.ToDevice, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Answer)
	defer cancel()
	conn, err := c.options.Dial(ctx, "tcp", c.identity.Address())
	if err != nil {
		return nil, nil, err
	}
	userTimeout(conn)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	ch, m, err := converse(conn, c.identity, opening)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, nil, errors.Join(ctx.Err(), err)
	}
	return ch, m, nil
}

func converse(conn net.Conn, i *Identity, opening *linkpb.ToServer) (*channel, *linkpb.ToDevice, error) {
	preamble := Preamble{Version: Version, Token: Token(i.state.Token)}
	ch, err := initiate(conn, i.key.pair, i.state.Server, preamble, opening)
	if err != nil {
		return nil, nil, err
	}
	m := new(linkpb.ToDevice)
	err = ch.receive(m)
	if errors.Is(err, io.EOF) {
		err = ErrNoAnswer
	}
	return ch, m, err
}
