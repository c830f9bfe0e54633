package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"rollcall/adapters/internal/listen"
)

// What a dispatcher counts and logs, each kind once an interval.
const (
	tallyFull      = "the dispatcher is full; raise its limit of connections or add a dispatcher"
	tallyUntrusted = "refused a connection from an address that is no trusted router; add it to the trusted routers if it is one"
	tallySpoofed   = "refused a PROXY header from an address that is no trusted router; add it to the trusted routers if it is one"
	tallyStart     = "closed a connection that did not begin as a device link"
	tallyToken     = "closed a device connection whose token belongs to no collaboration service here; add a route for the token"
	tallyService   = "closed a device connection because its collaboration service cannot take it now"
)

// Dispatcher takes device connections to their services. It is safe for
// concurrent use.
type Dispatcher struct {
	config Config
	crowd  *crowd
	tally  *listen.Tally
}

// Stats tells how a dispatcher is doing.
type Stats struct {
	Live    int               // connections from routers that are open
	Refused map[string]uint64 // connections closed, by reason
}

// New gives a dispatcher. It fails with [ErrNoService].
func New(c Config) (*Dispatcher, error) {
	if c.Default == nil && len(c.Routes) == 0 {
		return nil, ErrNoService
	}
	c.Limits = c.Limits.withDefaults()
	return &Dispatcher{
		config: c,
		crowd:  newCrowd(c.Limits.Conns),
		tally:  listen.NewTally(cmp.Or(c.Logger, slog.Default()), listen.DefaultInterval),
	}, nil
}

// Serve takes connections from routers (and from devices, see [Config].Plain)
// until ctx ends, then closes ln, waits for what runs, and returns nil. An error
// means that ln was closed by somebody else. The links run on their own: see
// [Link.Run].
func (d *Dispatcher) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := listen.Loop(ctx, ln, d.tally, func(conn net.Conn) {
		if !d.crowd.start(conn, func() { d.welcome(ctx, conn) }) {
			d.tally.Add(tallyFull, "peer", conn.RemoteAddr().String())
		}
	})
	cancel()
	d.crowd.drain(d.config.Limits.Drain)
	d.tally.Flush()
	return err
}

// Handle takes one connection whose peer is known; it is the handler of a router
// in the same process. It returns when the connection is over, and closes it.
func (d *Dispatcher) Handle(ctx context.Context, conn net.Conn, peer string) {
	defer conn.Close()
	if d.handsOnUntouched() {
		d.config.Default.take(ctx, conn, nil, peer)
		return
	}
	conn.SetReadDeadline(time.Now().Add(d.config.Limits.FirstRead))
	preamble, err := ReadPreamble(conn)
	if err != nil {
		d.refuse(ctx, tallyStart, peer, err)
		return
	}
	d.dispatch(ctx, conn, preamble, peer)
}

// Ready gives nil if every service would take a connection now, and otherwise
// what is wrong with those that would not.
func (d *Dispatcher) Ready() error {
	var problems []error
	for token, s := range d.config.Routes {
		if err := s.ready(); err != nil {
			problems = append(problems, fmt.Errorf("token %s: %w", token, err))
		}
	}
	if d.config.Default != nil {
		problems = append(problems, d.config.Default.ready())
	}
	return errors.Join(problems...)
}

// Stats gives the counts of this moment.
func (d *Dispatcher) Stats() Stats {
	return Stats{Live: d.crowd.size(), Refused: d.tally.Totals()}
}

// handsOnUntouched tells that there is nothing to choose and nothing to relay.
func (d *Dispatcher) handsOnUntouched() bool {
	_, isLocal := d.config.Default.(local)
	return isLocal && len(d.config.Routes) == 0
}

// welcome finds out whom an accepted connection speaks for.
func (d *Dispatcher) welcome(ctx context.Context, conn net.Conn) {
	remote := conn.RemoteAddr().String()
	conn.SetReadDeadline(time.Now().Add(d.config.Limits.FirstRead))
	if d.config.trusts(conn) {
		d.fromRouter(ctx, conn, remote)
		return
	}
	if !d.config.Plain {
		d.refuse(ctx, tallyUntrusted, remote, nil)
		return
	}
	preamble, err := ReadPreamble(conn)
	if isProxyHeader(preamble[:]) {
		d.refuse(ctx, tallySpoofed, remote, nil)
		return
	}
	if err != nil {
		d.refuse(ctx, tallyStart, remote, err)
		return
	}
	d.dispatch(ctx, conn, preamble, remote)
}

func (d *Dispatcher) fromRouter(ctx context.Context, conn net.Conn, router string) {
	device, err := readProxyHeader(conn)
	if errors.Is(err, errHealthCheck) {
		return
	}
	if err != nil {
		d.refuse(ctx, tallyStart, router, err)
		return
	}
	preamble, err := ReadPreamble(conn)
	if err != nil {
		d.refuse(ctx, tallyStart, peerText(device), err)
		return
	}
	d.dispatch(ctx, conn, preamble, peerText(device))
}

// dispatch takes a connection to the service its token names.
func (d *Dispatcher) dispatch(ctx context.Context, conn net.Conn, preamble Preamble, peer string) {
	conn.SetReadDeadline(time.Time{})
	service, ok := d.config.Routes[preamble.Token()]
	if !ok {
		service = d.config.Default
	}
	if service == nil {
		d.refuse(ctx, tallyToken, peer, fmt.Errorf("token %s", preamble.Token()))
		return
	}
	if err := service.take(ctx, conn, preamble[:], peer); err != nil {
		d.refuse(ctx, tallyService, peer, err)
	}
}

// refuse counts a connection that is closed, unless it is closed because the
// dispatcher stops.
func (d *Dispatcher) refuse(ctx context.Context, why, peer string, err error) {
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		d.tally.Add(why, "peer", peer)
		return
	}
	d.tally.Add(why, "peer", peer, "error", err)
}
