package dispatcher

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"

	"rollcall/adapters/internal/relay"
)

// How long a link waits before it dials again: it doubles from the shortest to
// the longest, and each wait is drawn from its upper half so that dispatchers do
// not come back all at once.
const (
	shortestBackOff = 500 * time.Millisecond
	longestBackOff  = 15 * time.Second
)

// LinkConfig says to which collaboration service a link goes.
type LinkConfig struct {
	Address  string // host:port, usually port 3200
	Identity *Identity
	Pins     []Pin        // of the service; more than one while its key is changed
	Logger   *slog.Logger // nil: slog.Default()
}

// Link is a dispatcher's connection to one collaboration service: a [Service].
// It is safe for concurrent use.
type Link struct {
	config LinkConfig
	log    *slog.Logger

	mu   sync.Mutex
	mux  *yamux.Session // nil while the link is down
	ctx  context.Context
	why  error // why it is down
	from time.Time
}

// LinkState tells how a link is doing.
type LinkState struct {
	Up      bool
	Since   time.Time // zero: it has not been tried yet
	Err     error     // why it is down
	Devices int       // streams that are open
}

// LinkDownError tells that a collaboration service cannot be reached now.
type LinkDownError struct {
	Address string
	Err     error
}

func (e *LinkDownError) Error() string {
	return fmt.Sprintf("no link to the collaboration service at %s: %v", e.Address, e.Err)
}

// Unwrap gives why the link is down.
func (e *LinkDownError) Unwrap() error { return e.Err }

// What a link can lack, and why it can be down.
var (
	ErrNoIdentity = errors.New("dispatcher: the configuration has no identity; load one with LoadOrCreateIdentity")
	ErrNoPin      = errors.New("dispatcher: the configuration has no pin of the collaboration service; it prints its pin when it starts")
	ErrNotYet     = errors.New("it has not been tried yet")
	ErrLinkLost   = errors.New("the link was lost")
	ErrTurnedAway = errors.New("the collaboration service turned this dispatcher away; allow its pin there")
)

// NewLink gives a link. It is down until Run brings it up. It fails with
// [ErrNoIdentity] or [ErrNoPin].
func NewLink(c LinkConfig) (*Link, error) {
	if c.Identity == nil {
		return nil, ErrNoIdentity
	}
	if len(c.Pins) == 0 {
		return nil, ErrNoPin
	}
	log := cmp.Or(c.Logger, slog.Default()).With("service", c.Address)
	return &Link{config: c, log: log, why: ErrNotYet}, nil
}

// Run keeps the link up until ctx ends; then it closes it and returns. It is
// called once.
func (l *Link) Run(ctx context.Context) {
	var told trouble
	wait := shortestBackOff
	for ctx.Err() == nil {
		mux, err := l.connect(ctx)
		if err == nil {
			wait = shortestBackOff
			err = l.keep(ctx, mux)
		}
		if ctx.Err() != nil {
			return
		}
		l.down(err)
		if told.isNews(err) {
			l.log.Warn("the link to the collaboration service is down; trying again", "error", err)
		}
		pause(ctx, wait/2+rand.N(wait/2))
		wait = min(2*wait, longestBackOff)
	}
}

// trouble is what was logged last. The same again is logged once a minute.
type trouble struct {
	text string
	at   time.Time
}

func (t *trouble) isNews(err error) bool {
	if err.Error() == t.text && time.Since(t.at) < time.Minute {
		return false
	}
	t.text, t.at = err.Error(), time.Now()
	return true
}

// State gives how the link is doing.
func (l *Link) State() LinkState {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LinkState{Up: l.mux != nil, Since: l.from, Err: l.why}
	if l.mux != nil {
		s.Devices = l.mux.NumStreams()
	}
	return s
}

func (l *Link) ready() error {
	_, _, err := l.current()
	return err
}

// keep makes mux the link and waits until it ends.
func (l *Link) keep(ctx context.Context, mux *yamux.Session) error {
	linkCtx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the devices' connections
	defer mux.Close()
	l.up(mux, linkCtx)
	l.log.Info("the link to the collaboration service is up")
	select {
	case <-ctx.Done():
	case <-mux.CloseChan():
	}
	return ErrLinkLost
}

func (l *Link) up(mux *yamux.Session, ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mux, l.ctx, l.why, l.from = mux, ctx, nil, time.Now()
}

func (l *Link) down(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mux != nil || l.from.IsZero() {
		l.from = time.Now()
	}
	l.mux, l.ctx, l.why = nil, nil, why
}

func (l *Link) current() (*yamux.Session, context.Context, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mux == nil {
		return nil, nil, &LinkDownError{l.config.Address, l.why}
	}
	return l.mux, l.ctx, nil
}

// take relays a device's connection over a stream of its own. The link's end
// ends it.
func (l *Link) take(ctx context.Context, conn net.Conn, start []byte, peer string) error {
	mux, linkCtx, err := l.current()
	if err != nil {
		return err
	}
	opened, err := mux.OpenStream()
	if err != nil {
		return &LinkDownError{l.config.Address, err}
	}
	address := peerAddress(peer)
	s := newStream(opened, address)
	defer s.Close()
	first := appendStreamHeader(make([]byte, 0, streamHeaderSize+len(start)), address)
	if _, err := s.Write(append(first, start...)); err != nil {
		return &LinkDownError{l.config.Address, err}
	}
	defer context.AfterFunc(ctx, func() { conn.Close(); s.Close() })()
	relay.Both(linkCtx, conn, s, lingerTimeout)
	return nil
}

// connect dials the service and proves to each who the other is.
func (l *Link) connect(ctx context.Context) (*yamux.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", l.config.Address)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(conn, tlsConfig(l.config.Identity, l.config.Pins))
	if err := l.enter(ctx, secured); err != nil {
		conn.Close()
		return nil, err
	}
	return yamux.Client(&frameJoiner{Conn: secured}, muxConfig(l.log))
}

func (l *Link) enter(ctx context.Context, secured *tls.Conn) error {
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	secured.SetReadDeadline(time.Now().Add(handshakeTimeout))
	var answer [1]byte
	if _, err := io.ReadFull(secured, answer[:]); err != nil {
		return fmt.Errorf("%w (this dispatcher's pin is %s): %w", ErrTurnedAway, l.config.Identity.Pin(), err)
	}
	if answer[0] != welcome {
		return ErrOtherProtocol
	}
	return secured.SetReadDeadline(time.Time{})
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
