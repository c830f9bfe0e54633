package device

import (
	"container/list"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// lobby holds the links whose handshakes are under way, up to a limit: those that
// have said something, and cost something from then on. Who finds
// it full is asked to come back, each a little later than the one before: what
// came as a wall returns as a ramp. No one neighbourhood has more than a quarter of
// the places, so that who keeps them without going on needs many. It is safe for
// concurrent use.
type lobby struct {
	limit    int
	patience time.Duration // an older one makes room for a new one
	interval time.Duration // between two that are asked to come back

	mu   sync.Mutex
	in   *list.List           // of guest, the oldest in front
	from map[netip.Prefix]int // how many of them from where
	next time.Time            // when the next who is asked shall come back
	out  uint64               // how many had to make room
}

type guest struct {
	link *link
	from netip.Prefix
	at   time.Time
}

// share is the part of the places, one in so many, that one neighbourhood may have.
const share = 4

// neighbourhood gives what a peer's address is counted under: an IPv4 address, or
// the /48 of an IPv6 address, which one customer may have. Nothing is known of one
// that is no address.
func neighbourhood(peer string) netip.Prefix {
	address, err := netip.ParseAddrPort(peer)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := address.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 48
	}
	from, _ := ip.Prefix(bits)
	return from
}

// The bounds of what a device is asked for; and what it believes, as anybody on
// the way can say so.
const (
	shortestLater = time.Second
	longestLater  = time.Minute
)

func newLobby(limit, returns int, patience time.Duration) *lobby {
	return &lobby{limit: limit, patience: patience, interval: time.Second / time.Duration(returns), in: list.New(), from: make(map[netip.Prefix]int)}
}

// enter gives a link its place, or nil and how much later to come back. A full
// lobby loses the link that has been in for longest, if that was too long.
func (b *lobby) enter(l *link) (place *list.Element, later time.Duration) {
	g := guest{l, neighbourhood(l.peer), time.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	crowded := g.from.IsValid() && b.from[g.from] >= max(b.limit/share, 1)
	if crowded || b.in.Len() >= b.limit && !b.makeRoom(g.at) {
		return nil, b.later(g.at)
	}
	b.from[g.from]++
	return b.in.PushBack(g), 0
}

func (b *lobby) makeRoom(now time.Time) bool {
	oldest := b.in.Front()
	g := oldest.Value.(guest)
	if now.Sub(g.at) < b.patience {
		return false
	}
	b.remove(oldest)
	b.out++
	go g.link.reset() // to close one may take a while
	return true
}

// later gives each its turn; where the last turn is too far away, any.
func (b *lobby) later(now time.Time) time.Duration {
	earliest := now.Add(shortestLater)
	if b.next.Before(earliest) {
		b.next = earliest
	}
	later := b.next.Sub(now)
	if later > longestLater {
		return longestLater/2 + rand.N(longestLater/2)
	}
	b.next = b.next.Add(b.interval)
	return later
}

// leave gives a place back. Another may have it already.
func (b *lobby) leave(place *list.Element) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if place.Value != nil {
		b.remove(place)
	}
}

// remove takes a link off, once.
func (b *lobby) remove(place *list.Element) {
	from := b.in.Remove(place).(guest).from
	place.Value = nil
	if b.from[from]--; b.from[from] == 0 {
		delete(b.from, from)
	}
}

func (b *lobby) stats() (in int, out uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.in.Len(), b.out
}
