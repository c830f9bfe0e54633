package sametime

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// maxRedirects is how many servers may pass a login on.
const maxRedirects = 3

// maxStray is how many messages a server may send in front of an answer.
const maxStray = 64

// negotiation takes a connection to a logged-in one.
type negotiation struct {
	o      *options
	logger *slog.Logger
	host   string
	conn   net.Conn
	frames *wire.FrameReader
	ack    *wire.LoginAck
}

// open logs in, and follows redirects as far as the options have it.
func (c *Connector) open(ctx context.Context, o *options, logger *slog.Logger, account, password string) (*negotiation, error) {
	host := o.host
	for range 1 + maxRedirects {
		n, err := c.connect(ctx, o, logger, host)
		if err != nil {
			return nil, err
		}
		release := n.guard(ctx)
		next, err := n.login(account, password)
		release()
		if err == nil && next == "" && ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil || next != "" {
			n.conn.Close()
		}
		if err != nil {
			return nil, failure(ctx, "log in", err)
		}
		if next == "" {
			return n, nil
		}
		logger.Info("the server passes the login on", "from", host, "to", next)
		host = next
	}
	return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: fmt.Sprintf("log in: passed on by more than %d servers, the last to %q", maxRedirects, shorten(host))}
}

func (c *Connector) connect(ctx context.Context, o *options, logger *slog.Logger, host string) (*negotiation, error) {
	address := net.JoinHostPort(host, o.port)
	conn, err := c.dial(ctx, "tcp", address)
	if err != nil {
		return nil, failure(ctx, "connect to "+address, err)
	}
	userTimeout(conn)
	if o.tls {
		secured, err := o.secure(ctx, conn, host)
		if err != nil {
			conn.Close()
			return nil, err
		}
		conn = secured
	}
	return &negotiation{o: o, logger: logger, host: host, conn: conn, frames: wire.NewFrameReader(conn)}, nil
}

// guard makes the end of ctx end whatever waits for the connection, until release
// is called, which may be called again.
func (n *negotiation) guard(ctx context.Context) (release func()) {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = n.conn.SetDeadline(time.Unix(1, 0)) // the read or write tells
	})
	return sync.OnceFunc(func() {
		if !stop() {
			<-ended
		}
	})
}

// login shakes hands and logs in. Where the server passes the login on, it gives
// the host to go to.
func (n *negotiation) login(account, password string) (redirect string, err error) {
	hello := &wire.Handshake{Major: n.o.major, Minor: n.o.minor, ClientType: n.o.clientType}
	if err := n.write(hello); err != nil {
		return "", err
	}
	greeting, err := expect[*wire.HandshakeAck](n, "shake hands")
	if err != nil {
		return "", err
	}
	auth, kind, err := n.prove(greeting, password)
	if err != nil {
		return "", err
	}
	if err := n.write(&wire.Login{ClientType: n.o.clientType, Name: account, Auth: auth, AuthType: kind}); err != nil {
		return "", err
	}
	return n.outcome()
}

// outcome waits for what becomes of the login.
func (n *negotiation) outcome() (redirect string, err error) {
	for range maxStray {
		m, err := n.next("log in")
		if err != nil {
			return "", err
		}
		switch m := m.(type) {
		case *wire.LoginAck:
			n.ack = m
			return "", nil
		case *wire.LoginRedirect:
			if host := readable(m.Host); !n.o.stay && host != "" && host != n.host {
				return host, nil
			}
			if err := n.write(&wire.LoginContinue{}); err != nil {
				return "", err
			}
		}
	}
	return "", errStray
}

var errStray = errors.New("the server does not answer but says other things")

// expect waits for one kind of message.
func expect[M wire.Message](n *negotiation, stage string) (M, error) {
	var none M
	for range maxStray {
		m, err := n.next(stage)
		if err != nil {
			return none, err
		}
		if m, is := m.(M); is {
			return m, nil
		}
	}
	return none, failure(context.Background(), stage, errStray)
}

// next gives the next message. One that ends the login is an error.
func (n *negotiation) next(stage string) (wire.Message, error) {
	frame, err := n.frames.Next()
	if err != nil {
		return nil, err
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return nil, err
	}
	if end, is := m.(*wire.ChannelDestroy); is && end.Channel == 0 {
		return nil, refusal(stage, end.Reason)
	}
	return m, nil
}

func (n *negotiation) write(m wire.Message) error {
	b, err := wire.Append(nil, m)
	if err != nil {
		return &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "log in: the name or the password is too long", Err: err}
	}
	_, err = n.conn.Write(b)
	return err
}

// prove makes what the login proves itself with.
func (n *negotiation) prove(greeting *wire.HandshakeAck, password string) ([]byte, wire.AuthType, error) {
	way := n.o.login
	offered := len(greeting.PublicKey) >= seal.PublicSize
	if way == loginOffered {
		way = loginRC2_40
		if offered {
			way = loginRC2DH
		}
	}
	switch {
	case way == loginRC2DH && !offered:
		return nil, 0, &broker.UpstreamError{Code: domain.RejectUpstreamRefused,
			Text: "log in: the server offers no key exchange, which the option login asks for"}
	case way == loginRC2DH:
		return n.proveByExchange(greeting, password)
	}
	if err := n.mayClear(way); err != nil {
		return nil, 0, err
	}
	if way == loginPlain {
		auth, err := wire.Marshal(&wire.PlainAuth{Password: password})
		return auth, wire.AuthPlain, err
	}
	key := make([]byte, 5)
	_, _ = rand.Read(key) // never fails
	sealed, err := encrypt(key, []byte(password))
	if err != nil {
		return nil, 0, err
	}
	auth, err := wire.Marshal(&wire.RC2Auth{Key: key, Sealed: sealed})
	return auth, wire.AuthRC2_40, err
}

// mayClear refuses to send a password in the clear, unless the service is set to
// allow it.
func (n *negotiation) mayClear(way loginWay) error {
	switch {
	case n.o.tls:
		return nil
	case !n.o.clearPassword:
		return &broker.UpstreamError{Code: domain.RejectUpstreamRefused,
			Text: "log in: the server offers no key exchange, and without it the password would cross the network in the clear; set tls=direct, or clear-password=allow if you accept that"}
	}
	n.logger.Warn("a password crosses the network in the clear: whoever listens learns it; tls=direct would prevent that", "server", n.host, "login", string(way))
	return nil
}

func (n *negotiation) proveByExchange(greeting *wire.HandshakeAck, password string) ([]byte, wire.AuthType, error) {
	pair := seal.NewKeyPair()
	key, err := pair.Shared(greeting.PublicKey)
	if err != nil {
		return nil, 0, err
	}
	inside, err := wire.Marshal(&wire.SealedPassword{Magic: greeting.Magic, Password: password})
	if err != nil {
		return nil, 0, err
	}
	sealed, err := encrypt(key, inside)
	if err != nil {
		return nil, 0, err
	}
	auth, err := wire.Marshal(&wire.DHAuth{PublicKey: pair.Public(), Sealed: sealed})
	return auth, wire.AuthRC2DH, err
}

func encrypt(key, text []byte) ([]byte, error) {
	c, err := seal.NewEncrypter(key)
	if err != nil {
		return nil, err
	}
	return c.Encrypt(text), nil
}
