package main

import (
	"context"
	"math/rand/v2"
	"net"
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
	b.budget = cuts
}

// next gives the connection to the server, with the budget of its turn.
func (b *breaker) next(server net.Conn) *cutConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &cutConn{Conn: server, sent: -1, received: -1, gone: func(*cutConn) {}}
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
	pass := func(to, from net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				if _, err := to.Write(buffer[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		to.Close()
		from.Close()
	}
	both.Go(func() { pass(server, client) })
	both.Go(func() { pass(client, server) })
	both.Wait()
}

// TestUpstreamCutAtEveryByte cuts the connections between the broker and an XMPP
// server after each number of bytes in each direction, in logins, in messages and
// when the stream is resumed: every message arrives, once.
func TestUpstreamCutAtEveryByte(t *testing.T) {
	size := matrixSize()
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
	for after := 0; after < 9000; after += size.upstream {
		for _, received := range []bool{false, true} {
			at := cut{after + rand.IntN(size.upstream), received}
			front.plan(at, at)
			c.exchange(t, nil, func(context.Context) {})
			if t.Failed() {
				t.Fatalf("with the connection cut after %d bytes (received: %v)", at.after, received)
			}
		}
	}
	h.shut()
}
