package wayintest_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/adapters/dispatcher"
	"rollcall/adapters/router"
)

// openFiles gives how many silent connections a test may open in this process,
// which holds both ends of each.
func openFiles(t testing.TB, want int) int {
	t.Helper()
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	return min(want, int(limit.Cur-256)/2)
}

// TestSilentCrowd holds 10,000 connections that never speak, as far as the limit
// of open files goes, and asks that a device gets through all the same, that
// each costs little, and that they are thrown out in time.
func TestSilentCrowd(t *testing.T) {
	const limit = 5 * time.Second
	r, err := router.New(router.Config{
		Handler: func(_ context.Context, conn net.Conn, _ string) {
			b := make([]byte, 64)
			n, _ := conn.Read(b)
			conn.Write(b[:n])
		},
		Limits: router.Limits{Rate: -1, ConnsPerAddress: -1, FirstByte: limit},
	})
	must(t, err)
	ln := listenOn(t)
	run(t, func(ctx context.Context) { r.Serve(ctx, ln) })

	crowd := make([]net.Conn, openFiles(t, 10_000))
	var opening sync.WaitGroup
	for first := range 8 {
		opening.Go(func() {
			for i := first; i < len(crowd); i += 8 {
				conn, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Errorf("silent connection %d: %v", i, err)
					return
				}
				crowd[i] = conn
			}
		})
	}
	opening.Wait()
	defer func() {
		for _, conn := range crowd {
			if conn != nil {
				conn.Close()
			}
		}
	}()
	conn, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(limit))
	exchange(t, conn, []byte("let me through"))

	last := crowd[len(crowd)-1]
	last.SetReadDeadline(time.Now().Add(3 * limit))
	if _, err := last.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a silent connection outlived its time")
	}
	w := &way{t: t, logs: &lockedBuffer{}}
	w.await("all silent connections are gone", func() bool { return r.Stats().Silent == 0 })
}

func TestTooManyStreams(t *testing.T) {
	serviceID, dispatcherID := identity(t), identity(t)
	a, err := dispatcher.Accept(dispatcher.AcceptConfig{Identity: serviceID, Pins: []dispatcher.Pin{dispatcherID.Pin()},
		Limits:  dispatcher.AcceptLimits{Streams: 2},
		Handler: func(ctx context.Context, _ net.Conn, _ string) { <-ctx.Done() }})
	must(t, err)
	ln := listenOn(t)
	run(t, func(ctx context.Context) { a.Serve(ctx, ln) })
	link, err := dispatcher.NewLink(dispatcher.LinkConfig{Address: ln.Addr().String(), Identity: dispatcherID, Pins: []dispatcher.Pin{serviceID.Pin()}})
	must(t, err)
	run(t, link.Run)
	d, err := dispatcher.New(dispatcher.Config{Default: link, Plain: true})
	must(t, err)
	front := listenOn(t)
	run(t, func(ctx context.Context) { d.Serve(ctx, front) })
	w := &way{t: t, logs: &lockedBuffer{}}
	w.await("the link is up", func() bool { return d.Ready() == nil })
	for range 2 {
		w.dial(front.Addr().String())
	}
	w.await("two devices are in", func() bool { return a.Stats().Devices == 2 })
	third := w.dial(front.Addr().String())
	third.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := third.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Errorf("the third device was let in: %v", err)
	}
	if n := a.Stats().Devices; n != 2 {
		t.Errorf("%d devices are in, want 2", n)
	}
}

// heapAndStacks gives what the process holds now.
func heapAndStacks() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestPlacesOnTheDispatcherPort fills the port with connections that never begin
// a handshake, and asks that no more are kept, that the oldest goes first, and
// that leaving makes room.
func TestPlacesOnTheDispatcherPort(t *testing.T) {
	id := identity(t)
	a, err := dispatcher.Accept(dispatcher.AcceptConfig{Identity: identity(t), Pins: []dispatcher.Pin{id.Pin()},
		Limits: dispatcher.AcceptLimits{Conns: 2}, Handler: func(context.Context, net.Conn, string) {}})
	must(t, err)
	ln := listenOn(t)
	run(t, func(ctx context.Context) { a.Serve(ctx, ln) })
	connect := func() net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	w := &way{t: t, logs: &lockedBuffer{}}
	held := []net.Conn{connect()}
	w.await("one place is taken", func() bool { return a.Stats().Links == 1 })
	held = append(held, connect())
	w.await("both places are taken", func() bool { return a.Stats().Links == 2 })
	held = append(held, connect())
	held[0].SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := held[0].Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest connection was kept: %v", err)
	}
	if n := a.Stats().Links; n > 2 {
		t.Errorf("%d connections in 2 places", n)
	}
	for _, conn := range held {
		conn.Close()
	}
	w.await("both places are free", func() bool { return a.Stats().Links == 0 })
}

// TestStrangersDoNotKeepADispatcherOut: silent connections hold every place, and
// a dispatcher links up all the same; once it has, no stranger pushes it out.
func TestStrangersDoNotKeepADispatcherOut(t *testing.T) {
	service, id := identity(t), identity(t)
	a, err := dispatcher.Accept(dispatcher.AcceptConfig{Identity: service, Pins: []dispatcher.Pin{id.Pin()},
		Limits: dispatcher.AcceptLimits{Conns: 2}, Handler: func(context.Context, net.Conn, string) {}})
	must(t, err)
	ln := listenOn(t)
	run(t, func(ctx context.Context) { a.Serve(ctx, ln) })
	w := &way{t: t, logs: &lockedBuffer{}}
	crowd := func() {
		for range 4 {
			conn, err := net.Dial("tcp", ln.Addr().String())
			must(t, err)
			t.Cleanup(func() { conn.Close() })
		}
		w.await("both places are taken", func() bool { return a.Stats().Links == 2 })
	}
	crowd()
	link, err := dispatcher.NewLink(dispatcher.LinkConfig{Address: ln.Addr().String(), Identity: id, Pins: []dispatcher.Pin{service.Pin()},
		Logger: slog.New(slog.NewTextHandler(w.logs, nil))})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // less than a handshake may take
	defer cancel()
	run(t, link.Run)
	for !link.State().Up && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if !link.State().Up {
		t.Fatalf("the dispatcher was kept out:\n%s", w.logs)
	}
	crowd()
	if !link.State().Up {
		t.Errorf("the dispatcher was pushed out:\n%s", w.logs)
	}
}
