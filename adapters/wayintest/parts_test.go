package wayintest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"rollcall/adapters/dispatcher"
)

func exchange(t testing.TB, conn net.Conn, message []byte) {
	t.Helper()
	_, err := conn.Write(message)
	must(t, err)
	got := make([]byte, len(message))
	_, err = io.ReadFull(conn, got)
	must(t, err)
	if !bytes.Equal(got, message) {
		t.Fatalf("echo = %q, want %q", got, message)
	}
}

func TestThreePartsPassBytesAndTheAddress(t *testing.T) {
	w := start(t)
	conn := w.dial(w.device)
	exchange(t, conn, []byte("through three parts"))
	if peer, want := <-w.peers, conn.LocalAddr().String(); peer != want {
		t.Errorf("peer at the handler = %s, want %s", peer, want)
	}
}

func TestHalfClose(t *testing.T) {
	w := start(t)
	conn := w.dial(w.device)
	sent := make([]byte, 3<<20) // more than every buffer on the way
	rand.Read(sent)
	go func() {
		conn.Write(sent)
		conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	must(t, err)
	if !bytes.Equal(got, sent) {
		t.Errorf("echo after half-close has %d bytes and differs, want the %d sent", len(got), len(sent))
	}
	w.await("the stream is over", func() bool { return w.acceptor.Stats().Devices == 0 })
}

func TestNothingInClearOnHop2(t *testing.T) {
	w := start(t)
	secret := []byte("a payload that nobody shall see between the parts")
	exchange(t, w.dial(w.device), secret)
	seen := w.hop2.bytes()
	if len(seen) < 2*len(secret) {
		t.Fatalf("the tap saw %d bytes, which is less than went through", len(seen))
	}
	for _, text := range [][]byte{secret, secret[:12], []byte("RCL1"), token[:]} {
		if bytes.Contains(seen, text) {
			t.Errorf("hop 2 carries %q in clear", text)
		}
	}
}

func TestLostDeviceIsReportedAtOnce(t *testing.T) {
	ended := make(chan error, 1)
	w := start(t, func(s *setup) {
		s.handler = func(_ context.Context, conn net.Conn, _ string) {
			_, err := io.Copy(io.Discard, conn)
			ended <- err
		}
	})
	conn := w.dial(w.device)
	w.await("the stream is open", func() bool { return w.acceptor.Stats().Devices == 1 })
	conn.SetLinger(0) // the next Close is a reset
	conn.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the handler did not learn that its device is gone")
	}
}

func TestDyingService(t *testing.T) {
	w := start(t)
	conn := w.dial(w.device)
	exchange(t, conn, []byte("before"))
	w.stopAccept()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the device's connection outlived the service")
	}
	w.await("the link is down", func() bool { return !w.link.State().Up })
	late := w.dial(w.device)
	if _, err := late.Read(make([]byte, 1)); err == nil {
		t.Error("a device was taken without a service")
	}
	w.awaitLog("cannot take it now")
}

func TestDyingDispatcher(t *testing.T) {
	w := start(t)
	conn := w.dial(w.device)
	exchange(t, conn, []byte("before"))
	w.stopLink()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the device's connection outlived the link")
	}
	w.await("the handlers have ended", func() bool { return w.acceptor.Stats().Devices == 0 })
}

func TestServiceComesBack(t *testing.T) {
	stranger := identity(t)
	cases := []struct {
		name string
		as   *dispatcher.Identity // nil: the same as before
	}{{"with its key", nil}, {"with another key", stranger}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := start(t)
			w.stopAccept()
			w.await("the link is down", func() bool { return !w.link.State().Up })
			if c.as != nil {
				w.accept.Identity = c.as
			}
			again, err := dispatcher.Accept(w.accept)
			must(t, err)
			ln, err := net.Listen("tcp", w.service)
			must(t, err)
			run(t, func(ctx context.Context) { again.Serve(ctx, ln) })
			if c.as != nil {
				w.awaitLog("which is not allowed here")
				return
			}
			w.await("the link is up again", func() bool { return w.link.State().Up })
			exchange(t, w.dial(w.device), []byte("after"))
		})
	}
}

func TestWrongPins(t *testing.T) {
	t.Run("of the service", func(t *testing.T) {
		w := start(t, func(s *setup) { s.wrongTo, s.wantLink = true, false })
		w.awaitLog("which is not allowed here")
	})
	t.Run("of the dispatcher", func(t *testing.T) {
		w := start(t, func(s *setup) { s.wrongOf, s.wantLink = true, false })
		w.awaitLog("allow its pin\" count=1")
		w.awaitLog("turned this dispatcher away")
		if w.link.State().Up {
			t.Error("the link is up with a pin that is not allowed")
		}
	})
}

func TestProxyHeaders(t *testing.T) {
	header := func(command proxyproto.ProtocolVersionAndCommand) []byte {
		h := &proxyproto.Header{Version: 2, Command: command, TransportProtocol: proxyproto.TCPv6,
			SourceAddr:      &net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 4711},
			DestinationAddr: &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 3101}}
		raw, err := h.Format()
		must(t, err)
		return raw
	}
	nobody := func(s *setup) { s.trusted = nil }
	plain := func(s *setup) { s.trusted, s.plain = nil, true }
	cases := []struct {
		name    string
		options []option
		send    []byte
		peer    string // that arrives; empty: the connection is refused
		log     string
	}{
		{"trusted", nil, append(header(proxyproto.PROXY), preamble()...), "[2001:db8::7]:4711", ""},
		{"trusted without header", nil, preamble(), "", "bad PROXY header"},
		{"trusted, version 1", nil, []byte("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), "", "send-proxy-v2"},
		{"health check", nil, header(proxyproto.LOCAL), "", ""},
		{"untrusted", []option{nobody}, append(header(proxyproto.PROXY), preamble()...), "", "no trusted router"},
		{"spoofed on a plain port", []option{plain}, append(header(proxyproto.PROXY), preamble()...), "", "refused a PROXY header"},
		{"plain", []option{plain}, preamble(), "127.0.0.1:", ""},
		{"plain garbage", []option{plain}, []byte("GET / HTTP/1.1\r\n\r\n"), "", "did not begin as a device link"},
		{"unknown token", []option{func(s *setup) { s.noRoute = true }}, append(header(proxyproto.PROXY), preamble()...), "", "no collaboration service here"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, c.options...)
			conn, err := net.Dial("tcp", w.dispatch)
			must(t, err)
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			conn.Write(c.send)
			if c.peer != "" {
				if peer := <-w.peers; !strings.HasPrefix(peer, c.peer) {
					t.Errorf("peer = %s, want %s", peer, c.peer)
				}
				return
			}
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("the dispatcher sent something to a connection it should refuse")
			}
			if c.log != "" {
				w.awaitLog(c.log)
			}
		})
	}
}

func TestGarbageOnTheDispatcherPort(t *testing.T) {
	w := start(t)
	for _, garbage := range [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n"), make([]byte, 4096), {0x16, 0x03, 0x01}} {
		conn, err := net.Dial("tcp", w.service)
		must(t, err)
		conn.Write(garbage)
		conn.Close()
	}
	w.awaitLog("did not come through the handshake")
	exchange(t, w.dial(w.device), []byte("still serving"))
}

func TestInOneProcessTheConnectionIsHandedOnAsItIs(t *testing.T) {
	got := make(chan net.Conn, 1)
	d, err := dispatcher.New(dispatcher.Config{Default: dispatcher.Local(
		func(_ context.Context, conn net.Conn, _ string) { got <- conn })})
	must(t, err)
	client, server := net.Pipe()
	defer client.Close()
	d.Handle(t.Context(), server, netip.AddrPort{}.String())
	if conn := <-got; conn != server {
		t.Errorf("the handler got %T, want the very connection", conn)
	}
}
