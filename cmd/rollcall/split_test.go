package main

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// recorder passes connections on, and keeps every byte of both directions.
type recorder struct {
	listener net.Listener
	mu       sync.Mutex
	bytes    bytes.Buffer
}

func record(t *testing.T, to string) *recorder {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	r := &recorder{listener: ln}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go r.relay(conn, to)
		}
	}()
	return r
}

func (r *recorder) relay(conn net.Conn, to string) {
	defer conn.Close()
	next, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer next.Close()
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(io.MultiWriter(to, r), from) // either end may go first
		to.(*net.TCPConn).CloseWrite()
	}
	both.Go(func() { pass(next, conn) })
	both.Go(func() { pass(conn, next) })
	both.Wait()
}

// Write keeps bytes.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.Write(p)
}

func (r *recorder) addr() string { return r.listener.Addr().String() }

// recorded gives everything so far.
func (r *recorder) recorded() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.bytes.Bytes())
}

// Router, dispatcher and collaboration service as three processes: a device logs
// in and talks through them, and neither hop carries its secrets in the clear.
func TestSplitRolesCarryNothingInTheClear(t *testing.T) {
	const account, message = "augusta-ada-king", "the-engine-weaves-patterns"
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.addUsers(account)

	// The dispatcher makes its key at its first start, and says its pin.
	dispatcherData := filepath.Join(t.TempDir(), "dispatcher")
	first := start(t, nil, "dispatcher", "--data", dispatcherData)
	pin := first.await(`the dispatcher's pin.* pin="?(sha256:[^" ]+)`)[1]
	first.await(`dispatcher.services: the pin of the collaboration service is missing`)
	first.wantExit(exitConfig)

	h.serve = start(t, h.env(), "serve", "--remote-dispatchers", "--collaboration", "127.0.0.1:0", "--dispatchers", pin)
	link := h.serve.await(`dispatchers connect here.* collaboration=(\S+) pin="?(sha256:[^" ]+)`)
	behind := record(t, link[1])
	d := start(t, nil, "dispatcher", "--data", dispatcherData, "--listen", "127.0.0.1:0", "--collaboration", behind.addr(), "--service-pin", link[2])
	front := record(t, d.await(`the dispatcher is ready.* listen=(\S+)`)[1])
	d.await(`the link to the collaboration service is up`)
	r := start(t, nil, "router", "--listen", "127.0.0.1:0", "--dispatcher", front.addr())
	door := r.await(`the router is ready.* listen=(\S+)`)[1]

	h.fails(exitConfig, "address: ", "device", "enrol", "--person", "Ada", "--account", "office:"+account)
	identity := h.join("Ada", "office:"+account, "--address", door)
	ada := h.login(identity, "office", account)
	session := ada.accepted()
	ada.send(account, message)
	ada.hears(account, message)
	if text := h.rollcall("sessions", "list"); !strings.Contains(text, account) || !strings.HasPrefix(strings.Split(text, "\n")[1], session) {
		t.Errorf("sessions list = %s, want session %s of %s", text, session, account)
	}

	for name, hop := range map[string]*recorder{"router to dispatcher": front, "dispatcher to service": behind} {
		seen := hop.recorded()
		if len(seen) < 500 {
			t.Errorf("%s: only %d bytes were recorded", name, len(seen))
		}
		for _, secret := range []string{account, "pw-" + account, message} {
			if bytes.Contains(seen, []byte(secret)) {
				t.Errorf("%s: %q goes over the wire in the clear", name, secret)
			}
		}
	}
	// The recorders do hear what is not hidden.
	if !bytes.Contains(front.recorded(), []byte("RCL1")) {
		t.Error("router to dispatcher: the preamble, which is in the clear, was not recorded")
	}

	for _, p := range []*process{r, d, h.serve} {
		p.signal(syscall.SIGTERM)
		p.wantExit(exitOK)
	}
}
