package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// garbage is what strangers send to ports.
var garbage = []struct {
	name  string
	bytes []byte
}{
	{"a web browser", []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")},
	{"TLS", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
	{"zeros", make([]byte, 100_000)},
	{"ones", bytes.Repeat([]byte{0xff}, 100_000)},
	{"a device link that goes wrong", append([]byte("RCL1\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{0xff}, 70_000)...)},
	{"half a preamble", []byte("RCL1\x01")},
	{"a PROXY header", []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02")},
}

// throw sends bytes to a port, says that nothing follows, and waits until the
// connection is closed.
func throw(t *testing.T, address string, what []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(patience)))
	_, _ = conn.Write(what) // it may be closed in the middle of it, as it should
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if nerr, ok := err.(net.Error); ok && nerr.Timeout() {
		t.Errorf("the connection was not closed after %v", patience)
	}
	if len(answer) > 100 {
		t.Errorf("it was answered with %d bytes", len(answer))
	}
}

func TestGarbageOnTheDevicePort(t *testing.T) {
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.addUsers("ada")
	h.open()
	for _, g := range garbage {
		t.Run(g.name, func(t *testing.T) { throw(t, h.address, g.bytes) })
	}
	ada := h.login(h.join("ada", "office:ada"), "office", "ada")
	ada.accepted()
	ada.say(`{"logout":{}}`)
	ada.wantExit(exitOK)
	h.shut()
	if text := h.serve.text(); strings.Contains(text, "panic") {
		t.Errorf("the appliance printed\n%s", text)
	}
}

func TestGarbageOnTheDispatcherPort(t *testing.T) {
	h := newHouse(t)
	h.serve = start(t, h.env(), "serve", "--remote-dispatchers", "--collaboration", "127.0.0.1:0")
	link := h.serve.await(`dispatchers connect here.* collaboration=(\S+) pin="?(sha256:[^" ]+)`)
	for _, g := range garbage {
		t.Run(g.name, func(t *testing.T) { throw(t, link[1], g.bytes) })
	}

	// A dispatcher that nobody knows is turned away, and both sides say which pin to allow.
	d := start(t, nil, "dispatcher", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--collaboration", link[1], "--service-pin", link[2])
	d.await(`turned this dispatcher away; allow its pin there`)
	h.serve.await(`refused a dispatcher whose key is not allowed; if it is yours, allow its pin`)
	h.shut()
}
