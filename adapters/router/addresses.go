package router

import (
	"container/list"
	"net"
	"net/netip"
	"time"
)

// addresses counts the connections of every address and refills its bucket. It
// is bounded: when it is full, the address that was not heard of for longest and
// has no connection is forgotten, which takes no longer the more there are. Not
// safe for concurrent use.
type addresses struct {
	limits Limits
	byKey  map[netip.Prefix]*address
	idle   *list.List // of *address without a connection, the latest in front
	size   float64    // how much a bucket holds
}

type address struct {
	key    netip.Prefix
	conns  int
	tokens float64
	at     time.Time     // when tokens was true
	idle   *list.Element // nil while it has connections
}

func newAddresses(l Limits) *addresses {
	return &addresses{limits: l, byKey: make(map[netip.Prefix]*address), idle: list.New(), size: float64(l.Burst)}
}

// take counts a new connection from key, or tells why it may not come in.
func (t *addresses) take(key netip.Prefix, now time.Time) refusal {
	a := t.get(key, now)
	if t.limits.Rate > 0 && t.limits.Burst > 0 {
		a.tokens = min(t.size, a.tokens+now.Sub(a.at).Seconds()*t.limits.Rate)
		a.at = now
		if a.tokens < 1 {
			return refusedRate
		}
		a.tokens--
	}
	if t.limits.ConnsPerAddress > 0 && a.conns >= t.limits.ConnsPerAddress {
		return refusedAddress
	}
	if a.conns++; a.idle != nil {
		t.idle.Remove(a.idle)
		a.idle = nil
	}
	return admitted
}

// release takes one connection of key off again.
func (t *addresses) release(key netip.Prefix) {
	a, ok := t.byKey[key]
	if !ok {
		return
	}
	if a.conns--; a.conns == 0 {
		a.idle = t.idle.PushFront(a)
	}
}

func (t *addresses) get(key netip.Prefix, now time.Time) *address {
	a, ok := t.byKey[key]
	switch {
	case ok && a.idle != nil:
		t.idle.MoveToFront(a.idle)
	case !ok:
		if t.limits.Addresses > 0 && len(t.byKey) >= t.limits.Addresses {
			t.forget()
		}
		a = &address{key: key, tokens: t.size, at: now}
		a.idle = t.idle.PushFront(a)
		t.byKey[key] = a
	}
	return a
}

// forget drops the stalest address without a connection. There is one: the
// table is never smaller than the number of connections.
func (t *addresses) forget() {
	if oldest := t.idle.Back(); oldest != nil {
		delete(t.byKey, t.idle.Remove(oldest).(*address).key)
	}
}

// keyOf gives what a connection's address is counted under: the IPv4 address
// itself, the /64 of an IPv6 address (one customer has at least that). An
// address that is no IP address gives the zero prefix.
func keyOf(addr net.Addr) netip.Prefix {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	key, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return key
}

// widen gives the /48 that an IPv6 key lies in; an IPv4 key is its own.
func widen(key netip.Prefix) netip.Prefix {
	if !key.Addr().Is6() {
		return key
	}
	wide, _ := key.Addr().Prefix(48)
	return wide
}

// wideFactor is by how much more a /48 may do than one address.
const wideFactor = 8

func (l Limits) wide() Limits {
	l.ConnsPerAddress *= wideFactor
	l.Rate *= wideFactor
	l.Burst *= wideFactor
	return l
}

func (l Limits) exempt(key netip.Prefix) bool {
	for _, p := range l.Exempt {
		if p.Contains(key.Addr()) {
			return true
		}
	}
	return false
}
