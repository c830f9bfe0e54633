package wayintest_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"rollcall/adapters/dispatcher"
	"rollcall/adapters/router"
)

// spliceProxy is what the relay is compared with: dial, and two io.Copy.
func spliceProxy(t testing.TB, to string) string {
	ln := listenOn(t)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				up, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer up.Close()
				go func() { io.Copy(up, conn); up.(*net.TCPConn).CloseWrite() }()
				io.Copy(conn, up)
			}()
		}
	}()
	return ln.Addr().String()
}

// echoServer reads a preamble and whatever a PROXY header adds, not looking at
// either: it echoes everything.
func echoServer(t testing.TB, echo dispatcher.Handler) string {
	ln := listenOn(t)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); echo(context.Background(), conn, "") }()
		}
	}()
	return ln.Addr().String()
}

func relayRouter(t testing.TB, to string) string {
	r, err := router.New(router.Config{Handler: router.Relay(router.RelayConfig{Dispatcher: to}),
		Limits: router.Limits{Rate: -1, ConnsPerAddress: -1}})
	must(t, err)
	ln := listenOn(t)
	run(t, func(ctx context.Context) { r.Serve(ctx, ln) })
	return ln.Addr().String()
}

func ways(b *testing.B, echo dispatcher.Handler, f func(b *testing.B, address string)) {
	b.Run("direct", func(b *testing.B) { f(b, echoServer(b, echo)) })
	b.Run("iocopy", func(b *testing.B) { f(b, spliceProxy(b, echoServer(b, echo))) })
	b.Run("router", func(b *testing.B) { f(b, relayRouter(b, echoServer(b, echo))) })
	b.Run("three-parts", func(b *testing.B) {
		f(b, start(b, func(s *setup) { s.handler = echo }).device)
	})
}

// open opens a connection and waits until bytes come back through it.
func open(b *testing.B, address string) *net.TCPConn {
	b.Helper()
	dialed, err := net.Dial("tcp", address)
	must(b, err)
	conn := dialed.(*net.TCPConn)
	const mark = "\xfeend"
	_, err = conn.Write(append(preamble(), mark...))
	must(b, err)
	var got []byte
	for one := make([]byte, 1); !bytes.HasSuffix(got, []byte(mark)); got = append(got, one[0]) {
		_, err = conn.Read(one)
		must(b, err)
	}
	return conn
}

func BenchmarkRoundTrip(b *testing.B) {
	ways(b, smallEcho, func(b *testing.B, address string) {
		conn := open(b, address)
		defer conn.Close()
		message := make([]byte, 200)
		for b.Loop() {
			exchange(b, conn, message)
		}
	})
}

func BenchmarkThroughput(b *testing.B) {
	ways(b, largeEcho, func(b *testing.B, address string) {
		conn := open(b, address)
		defer conn.Close()
		chunk := make([]byte, 64<<10)
		b.SetBytes(int64(len(chunk)))
		done := make(chan struct{})
		go func() { defer close(done); io.CopyN(io.Discard, conn, int64(b.N)*int64(len(chunk))) }()
		b.ResetTimer()
		for range b.N {
			conn.Write(chunk)
		}
		<-done
	})
}

func BenchmarkConnect(b *testing.B) {
	ways(b, smallEcho, func(b *testing.B, address string) {
		for b.Loop() {
			conn := open(b, address)
			conn.SetLinger(0)
			conn.Close()
		}
	})
}

// BenchmarkIdle reports what one idle device connection costs every process on
// its way together, in heap, stacks and files; the device's own end and the echo
// handler are in it, which "direct" shows.
func BenchmarkIdle(b *testing.B) {
	const conns = 1000
	ways(b, smallEcho, func(b *testing.B, address string) {
		open(b, address).Close()
		for b.Loop() {
			filesBefore, bytesBefore := countFiles(b), heapAndStacks()
			held := make([]*net.TCPConn, conns)
			for i := range held {
				held[i] = open(b, address)
			}
			b.ReportMetric(float64(heapAndStacks()-bytesBefore)/conns, "B/conn")
			b.ReportMetric(float64(countFiles(b)-filesBefore)/conns, "files/conn")
			for _, conn := range held {
				conn.SetLinger(0)
				conn.Close()
			}
		}
	})
}

// BenchmarkIdleStream reports what one idle device costs the collaboration
// service and the dispatcher in the yamux stream alone, both ends together.
func BenchmarkIdleStream(b *testing.B) {
	const conns = 1000
	serviceID, dispatcherID := identity(b), identity(b)
	a, err := dispatcher.Accept(dispatcher.AcceptConfig{Identity: serviceID, Pins: []dispatcher.Pin{dispatcherID.Pin()},
		Handler: smallEcho})
	must(b, err)
	ln := listenOn(b)
	run(b, func(ctx context.Context) { a.Serve(ctx, ln) })
	link, err := dispatcher.NewLink(dispatcher.LinkConfig{Address: ln.Addr().String(), Identity: dispatcherID, Pins: []dispatcher.Pin{serviceID.Pin()}})
	must(b, err)
	run(b, link.Run)
	d, err := dispatcher.New(dispatcher.Config{Default: link, Plain: true})
	must(b, err)
	front := listenOn(b)
	run(b, func(ctx context.Context) { d.Serve(ctx, front) })
	for d.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	for b.Loop() {
		for a.Stats().Devices > 0 || d.Stats().Live > 0 {
			time.Sleep(time.Millisecond)
		}
		before := heapAndStacks()
		held := make([]*net.TCPConn, conns)
		for i := range held {
			held[i] = open(b, front.Addr().String())
		}
		b.ReportMetric(float64(heapAndStacks()-before)/conns, "B/device")
		for _, conn := range held {
			conn.SetLinger(0)
			conn.Close()
		}
	}
}

// smallEcho is an echo with a buffer of its own that is as small as that of the
// device link, so that what is measured is the way in.
func smallEcho(_ context.Context, conn net.Conn, _ string) {
	buf := make([]byte, 512)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		conn.Write(buf[:n])
	}
}

func largeEcho(_ context.Context, conn net.Conn, _ string) { io.Copy(conn, conn) }

// countFiles counts once the connections of the benchmark before are gone.
func countFiles(b *testing.B) int {
	b.Helper()
	for last := -1; ; time.Sleep(20 * time.Millisecond) {
		files := openNow(b)
		if files == last {
			return files
		}
		last = files
	}
}

func openNow(b *testing.B) int {
	b.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		b.Skip("needs /proc to count open files")
	}
	return len(files)
}
