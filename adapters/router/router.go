package router

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/adapters/internal/listen"
)

// Router accepts connections and hands them on. It is safe for concurrent use.
type Router struct {
	handler Handler
	limits  Limits
	crowd   *crowd
	tally   *listen.Tally
	handed  atomic.Uint64
}

// Stats tells how a router is doing.
type Stats struct {
	Live     int               // connections that are in
	Silent   int               // of them, those that have sent nothing yet
	Known    int               // addresses, and /48s, that are remembered
	HandedOn uint64            // connections given to the handler since the start
	Refused  map[string]uint64 // connections closed at the door, by reason
}

// New gives a router. It fails with [ErrNoHandler].
func New(c Config) (*Router, error) {
	if c.Handler == nil {
		return nil, ErrNoHandler
	}
	limits := c.Limits.withDefaults()
	log := cmp.Or(c.Logger, slog.Default())
	return &Router{
		handler: c.Handler,
		limits:  limits,
		crowd:   newCrowd(limits),
		tally:   listen.NewTally(log, listen.DefaultInterval),
	}, nil
}

// Serve accepts connections until ctx ends, then closes ln, waits for the
// handlers, closes after [Limits].Drain what they still hold, and returns nil.
// An error means that ln was closed by somebody else.
func (r *Router) Serve(ctx context.Context, ln net.Listener) error {
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := listen.Loop(ctx, ln, r.tally, func(conn net.Conn) {
		if g, ok := r.admit(conn); ok {
			running.Go(func() { r.serve(ctx, g) })
		}
	})
	cancel()
	r.drain(&running)
	r.tally.Flush()
	return err
}

// Stats gives the counts of this moment.
func (r *Router) Stats() Stats {
	live, silent, known := r.crowd.size()
	return Stats{Live: live, Silent: silent, Known: known, HandedOn: r.handed.Load(), Refused: r.tally.Totals()}
}

func (r *Router) admit(conn net.Conn) (*guest, bool) {
	g, why := r.crowd.enter(conn)
	if why != admitted {
		r.tally.Add(string(why), "peer", conn.RemoteAddr().String())
		conn.Close()
		return nil, false
	}
	return g, true
}

func (r *Router) serve(ctx context.Context, g *guest) {
	defer r.crowd.leave(g)
	defer g.conn.Close()
	conn, err := awaitFirstByte(g.conn, r.limits.FirstByte)
	if err != nil || !r.crowd.spoke(g) {
		if ctx.Err() == nil {
			r.tally.Add(string(closedSilent), "peer", g.conn.RemoteAddr().String())
		}
		return
	}
	r.handed.Add(1)
	r.handler(ctx, conn, conn.RemoteAddr().String())
}

// drain waits for what is running. Who has not spoken has nothing to finish.
func (r *Router) drain(running *sync.WaitGroup) {
	r.crowd.closeSilent()
	defer time.AfterFunc(r.limits.Drain, r.crowd.closeAll).Stop()
	running.Wait()
}
