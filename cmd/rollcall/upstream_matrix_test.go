package main

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/adapters/xmpp/xmpptest"
)

// breaker stands in front of a server and breaks connections to it.
type breaker struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	budget []cut // of the coming connections, one after the other
	broken int   // how many of them have broken at its end
	// passed is what each connection has handed on from the server.
	passed []*strings.Builder
}

func newBreaker(t *testing.T, server string) *breaker {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	b := &breaker{listener: ln, server: server}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go b.relay(conn)
		}
	}()
	return b
}

func (b *breaker) addr() string { return b.listener.Addr().String() }

// plan sets where the coming connections break.
func (b *breaker) plan(cuts ...cut) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.budget, b.broken = cuts, 0
}

// note counts a connection that has broken where that was planned.
func (b *breaker) note() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken++
}

// hits gives how many have, since the plan was made.
func (b *breaker) hits() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// next gives the connection to the server, with the budget of its turn.
func (b *breaker) next(server net.Conn) *cutConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &cutConn{Conn: server, sent: -1, received: -1, gone: func(*cutConn) {}, broke: b.note}
	if len(b.budget) > 0 {
		c.limit(b.budget[0])
		b.budget = b.budget[1:]
	}
	return c
}

func (b *breaker) relay(client net.Conn) {
	defer client.Close()
	conn, err := net.Dial("tcp", b.server)
	if err != nil {
		return
	}
	server := b.next(conn)
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { pass(server, client, func([]byte) {}) })
	both.Go(func() { pass(client, server, b.tap()) })
	both.Wait()
}

// pass hands on what comes, until one of the two breaks, and tells note of it.
func pass(to, from net.Conn, note func([]byte)) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
			note(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

// tap gives what notes what one connection hands on from the server.
func (b *breaker) tap() func([]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := new(strings.Builder)
	b.passed = append(b.passed, text)
	return func(p []byte) {
		b.mu.Lock()
		defer b.mu.Unlock()
		text.Write(p)
	}
}

// handedOn tells whether the server has handed something to its clients.
func (b *breaker) handedOn(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.passed, func(s *strings.Builder) bool { return strings.Contains(s.String(), text) })
}

// upstreamWays are the directions in which connections to the server break: how
// much such a connection carries at least until everything has been said, and how
// much of that until a stream is taken up again on it.
var upstreamWays = []struct {
	received         bool
	carries, opening int
}{{false, 4800, 2600}, {true, 5500, 3000}}

// talking is how much a stream has received that is in the middle of its messages.
const talking = 3700

// TestUpstreamCutAtEveryByte cuts the connections between the broker and an XMPP
// server after each number of bytes in each direction, in logins, in messages and
// when the stream is resumed: every message arrives, once.
func TestUpstreamCutAtEveryByte(t *testing.T) {
	step := matrixSize().upstream
	c, front := prosodyHouse(t)
	for _, way := range upstreamWays {
		for after := 0; after < way.carries; after += step {
			at := cut{min(after+rand.IntN(step), way.carries), way.received}
			c.breakStreams(t, front, at, at)
			if at.after < way.opening {
				talkers := c.breakStreams(t, front, cut{talking, true}, cut{talking, true}, at, at)
				checkResumed(t, talkers)
			}
		}
	}
	c.shut()
}

// prosodyHouse is an appliance with two talkers on a real server, and what breaks
// the connections to that.
func prosodyHouse(t *testing.T) (*conversationOf, *breaker) {
	t.Helper()
	server := xmpptest.StartProsody(t, xmpptest.Users("t0", "t1"))
	front := newBreaker(t, server.Addr)
	h := newHouse(t)
	h.rollcall("service", "set", "chat", "--kind", "xmpp", "--address", front.addr(), "--option", "ca-file="+server.CAFile, "--option", "resume=on")
	h.open()
	c := &conversationOf{house: h}
	for _, user := range []string{"t0", "t1"} {
		account := user + "@" + xmpptest.Domain
		c.talkers = append(c.talkers, newTalker(t, account, "chat", h.join(user, "chat:"+account)))
	}
	return c, front
}

// breakStreams has the two exchange messages while the coming connections to the
// server break, each of them.
func (c *conversationOf) breakStreams(t *testing.T, front *breaker, cuts ...cut) []*talker {
	t.Helper()
	front.plan(cuts...)
	talkers := c.exchange(t, nil, func(context.Context) {})
	if hits := front.hits(); hits != len(cuts) {
		t.Errorf("%d connections broke, want %d", hits, len(cuts))
	}
	if t.Failed() {
		t.Fatalf("with the connections cut at %+v", cuts)
	}
	return talkers
}

// checkResumed tells that no login was broken: then what broke beside the first
// connection of each was a stream being resumed.
func checkResumed(t *testing.T, talkers []*talker) {
	t.Helper()
	for _, k := range talkers {
		if k.logins != 1 {
			t.Fatalf("%s logged in %d times: a login broke, and no resumption", k.name, k.logins)
		}
	}
}
