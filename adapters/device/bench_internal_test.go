package device

import (
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

// pipeEnd is the least connection there can be: it reads from a reader and drops
// what is written, and costs next to no memory.
type pipeEnd struct{ io.Reader }

func (*pipeEnd) Write(b []byte) (int, error)      { return len(b), nil }
func (*pipeEnd) Close() error                     { return nil }
func (*pipeEnd) LocalAddr() net.Addr              { return nil }
func (*pipeEnd) RemoteAddr() net.Addr             { return nil }
func (*pipeEnd) SetDeadline(time.Time) error      { return nil }
func (*pipeEnd) SetReadDeadline(time.Time) error  { return nil }
func (*pipeEnd) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkLogin is a whole login, both ends of it, the disk aside.
func BenchmarkLogin(b *testing.B) {
	out, in := loginBytes(b, "correct horse battery staple")
	w := newBench(b, Config{})
	w.devices.admit = true
	b.ReportAllocs()
	for b.Loop() {
		w.open().conn.Close()
		<-w.done
		<-w.devices.gone
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(len(out)+len(in)), "wire-bytes/login")
}

// BenchmarkMessage is one chat message from device to server.
func BenchmarkMessage(b *testing.B) {
	w := newBench(b, Config{})
	w.devices.admit = true
	ch := w.open()
	defer func() { ch.conn.Close(); <-w.done }()
	m := toServer(broker.Send{ID: "6f1c", To: "bob@example.org", Body: "could you please send me the report about the project?"})
	b.ReportAllocs()
	for b.Loop() {
		if err := ch.send(m, 0); err != nil {
			b.Fatal(err)
		}
		<-w.devices.got
	}
}

// relay is a server's end of a connection without a socket: buffered by one
// slice, so that what is measured is the link.
type relay struct {
	pipeEnd
	feed   chan []byte
	closed chan struct{}
	once   sync.Once
	rest   []byte
	reply  chan []byte
}

func (r *relay) Read(b []byte) (int, error) {
	for len(r.rest) == 0 {
		select {
		case r.rest = <-r.feed:
		case <-r.closed:
			return 0, io.EOF
		}
	}
	n := copy(b, r.rest)
	if r.rest = r.rest[n:]; len(r.rest) == 0 {
		r.rest = nil
	}
	return n, nil
}

func (r *relay) Write(b []byte) (int, error) {
	r.reply <- append([]byte(nil), b...)
	return len(b), nil
}

func (r *relay) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// farEnd is the device's end of a relay.
type farEnd struct {
	pipeEnd
	r    *relay
	rest []byte
}

func (f *farEnd) Write(b []byte) (int, error) {
	f.r.feed <- append([]byte(nil), b...)
	return len(b), nil
}

func (f *farEnd) Read(b []byte) (int, error) {
	if len(f.rest) == 0 {
		f.rest = <-f.r.reply
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// BenchmarkIdleLinks reports what 10,000 idle links cost the server in heap and
// stacks after their first status, sockets aside.
func BenchmarkIdleLinks(b *testing.B) {
	const links = 10_000
	for b.Loop() {
		w := newBench(b, Config{})
		w.devices.admit = true
		w.devices.gone = make(chan error, links)
		before := memory()
		var serving sync.WaitGroup
		open := make([]*relay, links)
		for i := range open {
			open[i] = idle(b, w, &serving)
		}
		b.ReportMetric(float64(memory()-before)/links, "B/link")
		for _, r := range open {
			r.Close()
		}
		serving.Wait()
	}
}

func idle(b *testing.B, w *bench, serving *sync.WaitGroup) *relay {
	r := &relay{feed: make(chan []byte), closed: make(chan struct{}), reply: make(chan []byte, 1)}
	serving.Go(func() { w.server.Serve(b.Context(), r, "192.0.2.1:1") })
	ch, err := initiate(&farEnd{r: r}, w.device.pair, w.key.Public(), Preamble{Version: Version}, openLogin("chat", "alice", "secret"))
	if err == nil {
		err = ch.receive(new(linkpb.ToDevice))
	}
	if err == nil {
		err = ch.send(toServer(broker.Status{}), 0)
	}
	if err != nil {
		b.Fatal(err)
	}
	<-w.devices.got
	return r
}

// memory gives what the process's heap and stacks take after a collection.
func memory() uint64 {
	for range 4 { // each lets a stack shrink by half
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
