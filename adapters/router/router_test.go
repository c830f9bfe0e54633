package router_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rollcall/adapters/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a listener in memory, whose connections come from where a test says.
type door struct {
	conns chan net.Conn
	fails chan error
	once  sync.Once
	done  chan struct{}
}

func newDoor() *door {
	return &door{conns: make(chan net.Conn), fails: make(chan error, 8), done: make(chan struct{})}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case err := <-d.fails:
		return nil, err
	default:
	}
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error   { d.once.Do(func() { close(d.done) }); return nil }
func (d *door) Addr() net.Addr { return &net.TCPAddr{} }

// from opens a connection that comes from the given address.
func (d *door) from(ip string) net.Conn {
	client, server := net.Pipe()
	d.conns <- &addressed{server, &net.TCPAddr{IP: net.ParseIP(ip), Port: 1}}
	return client
}

type addressed struct {
	net.Conn
	remote net.Addr
}

func (a *addressed) RemoteAddr() net.Addr { return a.remote }

// isOpen tells whether the router still holds the other end. For use in a
// synctest bubble.
func isOpen(conn net.Conn) bool {
	conn.SetReadDeadline(time.Now().Add(time.Nanosecond))
	_, err := conn.Read(make([]byte, 1))
	conn.SetReadDeadline(time.Time{})
	return !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe)
}

// hold is a handler that keeps a connection until the router stops.
func hold(ctx context.Context, conn net.Conn, _ string) { <-ctx.Done() }

// serve runs a router on a door of its own, in a synctest bubble, until the test
// ends.
func serve(t *testing.T, h router.Handler, l router.Limits) (*router.Router, *door) {
	t.Helper()
	r, err := router.New(router.Config{Handler: h, Limits: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Serve(ctx, d) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v, want nil after its context ended", err)
		}
	})
	return r, d
}

func TestRatePerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d := serve(t, hold, router.Limits{Rate: 2, Burst: 3})
		for i, want := range []bool{true, true, true, false, false} {
			c := d.from("192.0.2.1")
			if got := isOpen(c); got != want {
				t.Errorf("connection %d in: %v, want %v", i, got, want)
			}
		}
		if !isOpen(d.from("192.0.2.2")) {
			t.Error("another address pays for the first one's rate")
		}
		time.Sleep(time.Second) // two tokens
		for i, want := range []bool{true, true, false} {
			if got := isOpen(d.from("192.0.2.1")); got != want {
				t.Errorf("a second later, connection %d in: %v, want %v", i, got, want)
			}
		}
	})
}

func TestConnectionsPerAddress(t *testing.T) {
	cases := []struct {
		name   string
		limits router.Limits
		from   []string
		in     []bool
	}{
		{"one IPv4 address", router.Limits{ConnsPerAddress: 2}, []string{"192.0.2.1", "192.0.2.1", "192.0.2.1"}, []bool{true, true, false}},
		{"mapped is the same", router.Limits{ConnsPerAddress: 1}, []string{"192.0.2.1", "::ffff:192.0.2.1"}, []bool{true, false}},
		{"one /64", router.Limits{ConnsPerAddress: 1}, []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"}, []bool{true, false, true}},
		{"one /48 may do eight times as much", router.Limits{ConnsPerAddress: 1},
			[]string{"2001:db8::1", "2001:db8:0:1::", "2001:db8:0:2::", "2001:db8:0:3::", "2001:db8:0:4::", "2001:db8:0:5::", "2001:db8:0:6::", "2001:db8:0:7::",
				"2001:db8:0:8::", "2001:db8:1::", "192.0.2.1"}, []bool{true, true, true, true, true, true, true, true, false, true, true}},
		{"exempt", router.Limits{ConnsPerAddress: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
			[]string{"192.0.2.1", "192.0.2.1"}, []bool{true, true}},
		{"no limit", router.Limits{ConnsPerAddress: -1}, []string{"192.0.2.1", "192.0.2.1"}, []bool{true, true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, d := serve(t, hold, c.limits)
				for i, ip := range c.from {
					if got := isOpen(d.from(ip)); got != c.in[i] {
						t.Errorf("connection %d from %s in: %v, want %v", i, ip, got, c.in[i])
					}
				}
			})
		})
	}
}

// A stranger with a whole /48 must not have the router remember more, or let in
// more, than it may.
func TestManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := serve(t, hold, router.Limits{Conns: 50, Addresses: 100, Rate: 2, Burst: 10})
		in := 0
		for i := range 1000 {
			c := d.from(fmt.Sprintf("2001:db8:0:%x::1", i))
			if isOpen(c) {
				in++
			}
			c.Close()
			synctest.Wait()
		}
		if in != 80 {
			t.Errorf("%d connections from one /48 were let in at once, want 80", in)
		}
		for i := range 1000 {
			d.from(fmt.Sprintf("2001:db8:%x::1", i+1)).Close()
			synctest.Wait()
		}
		if s := r.Stats(); s.Known > 200 || s.Live != 0 {
			t.Errorf("Stats = %+v, want at most 100 addresses and 100 /48s", s)
		}
	})
}

func TestLeavingMakesPlaceForTheSameAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d := serve(t, hold, router.Limits{ConnsPerAddress: 1})
		d.from("192.0.2.1").Close()
		synctest.Wait()
		if !isOpen(d.from("192.0.2.1")) {
			t.Error("the place of a connection that has gone is still taken")
		}
	})
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := serve(t, hold, router.Limits{FirstByte: 5 * time.Second})
		silent, speaks := d.from("192.0.2.1"), d.from("192.0.2.1")
		speaks.Write([]byte("x"))
		time.Sleep(4 * time.Second)
		if !isOpen(silent) {
			t.Error("closed before its time")
		}
		time.Sleep(2 * time.Second)
		if isOpen(silent) {
			t.Error("still open after its time")
		}
		if !isOpen(speaks) {
			t.Error("a connection that has spoken was closed")
		}
		if s := r.Stats(); s.Live != 1 || s.Silent != 0 || s.HandedOn != 1 {
			t.Errorf("Stats = %+v, want one live, none silent, one handed on", s)
		}
	})
}

func TestFullHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d := serve(t, hold, router.Limits{Conns: 2})
		first, second := d.from("192.0.2.1"), d.from("192.0.2.2")
		synctest.Wait()
		third := d.from("192.0.2.3")
		synctest.Wait()
		if isOpen(first) || !isOpen(second) || !isOpen(third) {
			t.Error("a full house should close the one that has been silent for longest, and no other")
		}
		second.Write([]byte("x"))
		third.Write([]byte("x"))
		synctest.Wait()
		if isOpen(d.from("192.0.2.4")) {
			t.Error("a house full of connections that have spoken let one more in")
		}
	})
}

func TestTheFirstByteIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 1)
		_, d := serve(t, func(_ context.Context, conn net.Conn, peer string) {
			b := make([]byte, 5)
			io.ReadFull(conn, b)
			got <- peer + " " + string(b)
		}, router.Limits{})
		d.from("192.0.2.1").Write([]byte("hello"))
		if text := <-got; text != "192.0.2.1:1 hello" {
			t.Errorf("the handler got %q", text)
		}
	})
}

func TestTheVerySocketIsHandedOn(t *testing.T) {
	got := make(chan net.Conn, 1)
	r, err := router.New(router.Config{Handler: func(_ context.Context, conn net.Conn, _ string) {
		b := make([]byte, 5)
		io.ReadFull(conn, b)
		conn.Write(b)
		got <- conn
	}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Serve(ctx, ln) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte("hello"))
	b := make([]byte, 5)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
		t.Errorf("echo = %q, %v", b, err)
	}
	if c, ok := (<-got).(*net.TCPConn); !ok {
		t.Errorf("the handler got a %T, want the *net.TCPConn", c)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func TestAcceptErrorsAreOutlived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		for range 4 {
			d.fails <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		}
		r, err := router.New(router.Config{Handler: hold, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		begun := time.Now()
		go func() { ended <- r.Serve(ctx, d) }()
		if !isOpen(d.from("192.0.2.1")) {
			t.Error("not accepting after accept errors")
		}
		if waited := time.Since(begun); waited < 75*time.Millisecond {
			t.Errorf("four failures were backed off for %v in all, want 5+10+20+40 ms", waited)
		}
		cancel()
		<-ended
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := router.New(router.Config{
			Handler: func(_ context.Context, conn net.Conn, _ string) { io.Copy(io.Discard, conn) }, // deaf to ctx
			Limits:  router.Limits{Drain: 3 * time.Second},
			Logger:  slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		d := newDoor()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Serve(ctx, d) }()
		silent, speaks := d.from("192.0.2.1"), d.from("192.0.2.1")
		speaks.Write([]byte("x"))
		synctest.Wait()
		begun := time.Now()
		cancel()
		synctest.Wait()
		if isOpen(silent) || !isOpen(speaks) {
			t.Error("draining should close the silent at once and leave the others their time")
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve = %v", err)
		}
		if took := time.Since(begun).Round(time.Second); took != 3*time.Second {
			t.Errorf("drained in %v, want 3s", took)
		}
	})
}

func TestClosedListenerIsAnError(t *testing.T) {
	r, err := router.New(router.Config{Handler: hold})
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor()
	d.Close()
	if err := r.Serve(t.Context(), d); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve = %v, want net.ErrClosed", err)
	}
}

func TestNoHandler(t *testing.T) {
	if _, err := router.New(router.Config{}); !errors.Is(err, router.ErrNoHandler) {
		t.Errorf("New = %v, want ErrNoHandler", err)
	}
}
