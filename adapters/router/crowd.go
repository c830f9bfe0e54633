package router

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// refusal tells why a connection was closed at the door.
type refusal string

const (
	admitted       refusal = ""
	refusedRate    refusal = "too many new connections from one address; exempt it if many devices stand behind it"
	refusedAddress refusal = "too many connections at once from one address; exempt it if many devices stand behind it"
	refusedFull    refusal = "the router is full; raise its limit of connections or add a router"
	closedSilent   refusal = "closed connections that sent nothing"
)

// crowd knows every connection that is in. It is safe for concurrent use.
type crowd struct {
	limits Limits

	mu     sync.Mutex
	from   *addresses
	wide   *addresses // the /48s of IPv6 addresses
	in     map[*guest]struct{}
	silent *list.List // of *guest, the oldest in front
}

// guest is one connection that is in.
type guest struct {
	conn   net.Conn
	key    netip.Prefix
	exempt bool
	silent *list.Element // nil once it has spoken
}

func newCrowd(l Limits) *crowd {
	return &crowd{limits: l, from: newAddresses(l), wide: newAddresses(l.wide()), in: make(map[*guest]struct{}), silent: list.New()}
}

// enter lets a connection in as a silent one, or tells why not. When the house
// is full, the connection that has been silent for longest is closed to make
// room, if there is one: who only holds places loses them first.
func (c *crowd) enter(conn net.Conn) (*guest, refusal) {
	g := &guest{conn: conn, key: keyOf(conn.RemoteAddr())}
	g.exempt = !g.key.IsValid() || c.limits.exempt(g.key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !g.exempt {
		if why := c.take(g.key, time.Now()); why != admitted {
			return nil, why
		}
	}
	if c.limits.Conns > 0 && len(c.in) >= c.limits.Conns && !c.makeRoom() {
		c.uncount(g)
		return nil, refusedFull
	}
	c.in[g] = struct{}{}
	g.silent = c.silent.PushBack(g)
	return g, admitted
}

func (c *crowd) makeRoom() bool {
	oldest := c.silent.Front()
	if oldest == nil {
		return false
	}
	g := oldest.Value.(*guest)
	c.remove(g)
	g.conn.Close()
	return true
}

// spoke tells that a guest is silent no longer. It gives false if the guest had
// to go meanwhile.
func (c *crowd) spoke(g *guest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.in[g]; !ok {
		return false
	}
	c.silent.Remove(g.silent)
	g.silent = nil
	return true
}

// leave takes a guest off, once.
func (c *crowd) leave(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(g)
}

func (c *crowd) remove(g *guest) {
	if _, ok := c.in[g]; !ok {
		return
	}
	delete(c.in, g)
	if g.silent != nil {
		c.silent.Remove(g.silent)
		g.silent = nil
	}
	c.uncount(g)
}

func (c *crowd) uncount(g *guest) {
	if !g.exempt {
		c.from.release(g.key)
		c.wide.release(widen(g.key))
	}
}

// take counts a connection under its address, and an IPv6 one under the /48 too:
// one customer may have that many addresses.
func (c *crowd) take(key netip.Prefix, now time.Time) refusal {
	if why := c.from.take(key, now); why != admitted {
		return why
	}
	if !key.Addr().Is6() {
		return admitted
	}
	why := c.wide.take(widen(key), now)
	if why != admitted {
		c.from.release(key)
	}
	return why
}

// closeAll closes every connection that is in.
func (c *crowd) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for g := range c.in {
		g.conn.Close()
	}
}

// closeSilent closes the connections that have not spoken.
func (c *crowd) closeSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.silent.Front(); e != nil; e = e.Next() {
		e.Value.(*guest).conn.Close()
	}
}

func (c *crowd) size() (in, silent, known int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.in), c.silent.Len(), len(c.from.byKey) + len(c.wide.byKey)
}
