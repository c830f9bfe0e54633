package device

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// nobody is a broker that knows one device, whose logins wait until the device
// has gone, or are let in.
type nobody struct {
	known   []byte
	admit   bool
	revoked bool
	got     chan broker.FromDevice
	gone    chan error
	began   chan struct{}
}

func (n *nobody) Identify(key []byte) (domain.DeviceID, error) {
	switch {
	case !bytes.Equal(key, n.known):
		return 0, broker.ErrUnknownKey
	case n.revoked:
		return 0, domain.ErrDeviceRevoked
	}
	return 7, nil
}

func (n *nobody) Enrol(context.Context, broker.Enrolment) (domain.DeviceID, error) {
	return 0, broker.ErrUnknownSecret
}

func (n *nobody) Login(ctx context.Context, _ broker.Login, link broker.Link) (broker.Session, error) {
	if n.admit {
		return n, link.Send(broker.Accepted{Session: 9, Resume: make([]byte, 32), StatusInterval: time.Minute, Fence: 1})
	}
	n.began <- struct{}{}
	<-ctx.Done()
	n.gone <- ctx.Err()
	return nil, nil
}

func (n *nobody) Resume(context.Context, broker.Resume, broker.Link) (broker.Session, error) {
	return nil, broker.ErrStopped
}

func (n *nobody) Receive(_ context.Context, m broker.FromDevice) error {
	n.got <- m
	return nil
}

func (n *nobody) Detach() { n.gone <- nil }

// bench is a server and one device with its key.
type bench struct {
	t          testing.TB
	devices    *nobody
	server     *Server
	key        Key // the server's
	device     Key
	connection net.Conn // the device's end of the latest connection
	done       chan struct{}
	peer       string // where the next connection comes from
}

func newBench(t testing.TB, c Config) *bench {
	t.Helper()
	b := &bench{t: t, key: drawKey(t), device: drawKey(t)}
	b.devices = &nobody{known: b.device.Public(), got: make(chan broker.FromDevice, 100), gone: make(chan error, 100), began: make(chan struct{}, 100)}
	c.Devices, c.Key = b.devices, b.key
	b.server = NewServer(c)
	return b
}

func drawKey(t testing.TB) Key {
	t.Helper()
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// connect opens a connection that the server serves.
func (b *bench) connect() net.Conn {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	peer := or(b.peer, "somebody")
	go func() {
		defer close(done)
		b.server.Serve(context.Background(), theirs, peer)
	}()
	b.connection, b.done = ours, done
	return ours
}

// ended waits for the end of the latest connection.
func (b *bench) ended() {
	b.t.Helper()
	select {
	case <-b.done:
	case <-time.After(20 * time.Second):
		b.t.Fatal("the server still serves the connection")
	}
}

// open gives the device's end of a link with a login on it.
func (b *bench) open() *channel {
	b.t.Helper()
	conn := b.connect()
	ch, err := initiate(conn, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("chat", "alice", "secret"))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := ch.receive(new(linkpb.ToDevice)); err != nil {
		b.t.Fatal(err)
	}
	return ch
}

func TestStrangersAreRefusedAndCounted(t *testing.T) {
	hello := Preamble{Version: Version}.Append(nil)
	for _, c := range []struct {
		name string
		send []byte
		want func(Stats) uint64
	}{
		{"another protocol", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), func(s Stats) uint64 { return s.Garbage }},
		{"another version", Preamble{Version: 9}.Append(nil), func(s Stats) uint64 { return s.Garbage }},
		{"noise", append(hello[:16:16], make([]byte, helloSize)...), func(s Stats) uint64 { return s.Garbage }},
		{"too little", hello[:9], func(s Stats) uint64 { return s.Left }},
		{"nothing", nil, func(s Stats) uint64 { return s.Left }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, Config{})
			conn := b.connect()
			go io.Copy(io.Discard, conn)
			_, _ = conn.Write(c.send) // the server may close before it has read all
			conn.Close()
			b.ended()
			if s := b.server.Stats(); c.want(s) != 1 || s.Open != 0 || s.Connections != 1 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestOtherVersionIsToldApart(t *testing.T) {
	b := newBench(t, Config{})
	var version *VersionError
	_, err := initiate(b.connect(), b.device.pair, b.key.Public(), Preamble{Version: 9}, openLogin("a", "b", "c"))
	// The server answers with its own version, which is this one; a device of
	// another version finds the difference.
	if err == nil || errors.As(err, &version) {
		t.Errorf("initiate = %v", err)
	}
	b.ended()

	ours, theirs := net.Pipe()
	go func() {
		io.ReadFull(theirs, make([]byte, preambleSize+helloSize))
		theirs.Write(Preamble{Version: 2}.Append(nil))
		theirs.Close()
	}()
	_, err = initiate(ours, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("a", "b", "c"))
	if !errors.As(err, &version) || version.Theirs != 2 {
		t.Errorf("initiate = %v, want a VersionError for 2", err)
	}
}

func TestWrongServerKeyRevealsNothing(t *testing.T) {
	b := newBench(t, Config{})
	_, err := initiate(b.connect(), b.device.pair, drawKey(t).Public(), Preamble{Version: Version}, openLogin("a", "b", "c"))
	if !errors.Is(err, ErrHandshake) {
		t.Errorf("initiate = %v, want ErrHandshake", err)
	}
	b.ended()
	if s := b.server.Stats(); s.Garbage != 1 || s.Logins != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestUnknownAndRevokedKeysAreClosed(t *testing.T) {
	for name, change := range map[string]func(*nobody){
		"unknown": func(n *nobody) { n.known = nil },
		"revoked": func(n *nobody) { n.revoked = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			change(b.devices)
			ch, err := initiate(b.connect(), b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("a", "b", "c"))
			if err != nil {
				t.Fatal(err)
			}
			if err := ch.receive(new(linkpb.ToDevice)); !errors.Is(err, io.EOF) {
				t.Errorf("receive = %v, want EOF", err)
			}
			b.ended()
			if s := b.server.Stats(); s.UnknownKey+s.Revoked != 1 || s.Logins != 0 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// recorder keeps what a connection carried.
type recorder struct {
	net.Conn
	out, in bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) { r.out.Write(b); return r.Conn.Write(b) }

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.in.Write(b[:n])
	return n, err
}

func TestReplayedHandshakeIsRefused(t *testing.T) {
	b := newBench(t, Config{})
	b.devices.admit = true
	r := &recorder{Conn: b.connect()}
	ch, err := initiate(r, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.receive(new(linkpb.ToDevice)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	b.ended()
	again := b.connect()
	go io.Copy(io.Discard, again)
	if _, err := again.Write(r.out.Bytes()); err != nil {
		t.Fatal(err)
	}
	b.ended()
	if s := b.server.Stats(); s.Logins != 1 || s.Garbage != 1 {
		t.Errorf("stats %+v, want the second handshake refused", s)
	}
}

func TestHandshakeTimesOut(t *testing.T) {
	for _, sent := range []int{0, 5, preambleSize, preambleSize + 20} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, Config{})
			conn := b.connect()
			began := time.Now()
			go conn.Write(append(Preamble{Version: Version}.Append(nil), make([]byte, 20)...)[:sent])
			<-b.done
			if spent := time.Since(began); spent != 10*time.Second {
				t.Errorf("%d bytes: closed after %v, want 10 s", sent, spent)
			}
			if s := b.server.Stats(); s.TimedOut != 1 {
				t.Errorf("%d bytes: stats %+v", sent, s)
			}
		})
	}
}

func TestDripsDoNotProlongTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		conn := b.connect()
		go func() {
			for _, c := range (Preamble{Version: Version}).Append(nil) {
				if _, err := conn.Write([]byte{c}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		<-b.done
		if spent := time.Since(began); spent != 10*time.Second {
			t.Errorf("closed after %v, want 10 s", spent)
		}
		time.Sleep(time.Second) // until the writer finds out
	})
}

func TestSlowRecordIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		b.devices.admit = true
		ch := b.open()
		time.Sleep(time.Hour) // silence is the broker's to judge
		began := time.Now()
		if _, err := ch.conn.Write([]byte{0xff, 0xff, 1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		<-b.done
		if spent := time.Since(began); spent != defaultPatience {
			t.Errorf("closed after %v, want %v", spent, defaultPatience)
		}
	})
}

func TestDeviceThatDoesNotReadIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		l := newLink(NewServer(Config{}), theirs, "")
		other := shakeHands(t)
		l.channel.out = other.out
		began := time.Now()
		if err := l.Send(broker.Sent{ID: "x"}); err == nil || time.Since(began) != defaultPatience {
			t.Errorf("Send = %v after %v, want an error after %v", err, time.Since(began), defaultPatience)
		}
	})
}

// A session must not wait long for a device that shall only hear that it is over.
func TestDeviceThatDoesNotReadItsLastMessageIsCutOffSoon(t *testing.T) {
	for _, m := range []broker.ToDevice{broker.Notice{Cause: domain.EndInactive}, broker.ComeBack{After: time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			l := newLink(NewServer(Config{}), theirs, "")
			l.channel.out = shakeHands(t).out
			began := time.Now()
			if err := l.Send(m); err == nil || time.Since(began) != 2*time.Second {
				t.Errorf("Send(%T) = %v after %v, want an error after 2 s", m, err, time.Since(began))
			}
		})
	}
}

// shakeHands gives the device's end of a fresh link with nothing behind it.
func shakeHands(t testing.TB) *channel {
	t.Helper()
	server, device := drawKey(t), drawKey(t)
	ours, theirs := net.Pipe()
	go func() {
		c := &channel{conn: theirs}
		if p, err := ReadPreamble(c); err == nil {
			answer(c, server.pair, p)
		}
	}()
	ch, err := initiate(ours, device.pair, server.Public(), Preamble{Version: Version}, openLogin("a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestGivingUpCancelsTheLogin(t *testing.T) {
	b := newBench(t, Config{})
	conn := b.connect()
	if _, err := initiate(conn, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	<-b.devices.began
	conn.Close()
	if err := <-b.devices.gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the login's context: %v", err)
	}
	b.ended()
}

func bomb(t testing.TB, size int) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(dictionaryID, dictionary), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	return enc.EncodeAll(make([]byte, size), []byte{flagZstd})
}

func TestBadFramesEndTheLink(t *testing.T) {
	login, err := appendFrame(nil, mustMarshal(t, openLogin("a", "b", "c")), 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, frame := range map[string][]byte{
		"an unknown flag":       {0x80, 1},
		"a bomb":                bomb(t, 64<<20),
		"a little too long":     bomb(t, maxMessage+1),
		"not zstd":              {flagZstd, 1, 2, 3},
		"a padded frame cut":    {flagPadded, 0},
		"a length beyond":       {flagPadded, 0, 9, 1},
		"padding with contents": {flagPadded, 0, 1, 0, 7},
		"not protobuf":          {0, 0xff, 0xff},
		"no message":            {0},
		"a login out of turn":   login,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			b.devices.admit = true
			ch := b.open()
			if err := ch.write(frame); err != nil {
				t.Fatal(err)
			}
			b.ended()
			if s := b.server.Stats(); s.Misbehaved != 1 {
				t.Errorf("stats %+v", s)
			}
			if len(b.devices.got) != 0 {
				t.Error("the broker was handed something")
			}
		})
	}
}

func TestBadRecordsEndTheLink(t *testing.T) {
	for name, record := range map[string][]byte{
		"shorter than a tag": {0, 5, 1, 2, 3, 4, 5},
		"empty":              {0, 0},
		"changed":            append([]byte{0, 20}, make([]byte, 20)...),
		"the longest":        append([]byte{0xff, 0xff}, make([]byte, 65535)...),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			b.devices.admit = true
			ch := b.open()
			_, _ = ch.conn.Write(record) // the server may close before it has read all
			b.ended()
			if s := b.server.Stats(); s.Misbehaved != 1 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestOpeningsOfOtherSizesAreRefusedUnread(t *testing.T) {
	for _, size := range []int{0, 17, openingOverhead + 255, openingOverhead + 257, 65535} {
		conn, theirs := net.Pipe()
		c := &channel{conn: theirs}
		go conn.Write(binary.BigEndian.AppendUint16(nil, uint16(size)))
		if _, err := readOpening(c, make([]byte, smallBuffer)); !errors.Is(err, ErrRecord) {
			t.Errorf("readOpening of %d bytes = %v, want ErrRecord", size, err)
		}
	}
}

func TestRecordsOfEveryLengthPass(t *testing.T) {
	b := newBench(t, Config{})
	b.devices.admit = true
	ch := b.open()
	defer func() { ch.conn.Close(); b.ended() }()
	random := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", MaxBody/36+1)
	for _, n := range []int{0, 1, 30, 60, 61, 62, 63, 64, 65, 100, 4000, 4096, 5000, MaxBody} {
		want := broker.Send{ID: "i", To: "bob", Body: random[:n]}
		if err := ch.send(toServer(want), 0); err != nil {
			t.Fatalf("send of %d: %v", n, err)
		}
		if got := <-b.devices.got; got != want {
			t.Errorf("a body of %d bytes arrived otherwise", n)
		}
	}
}

func TestTooLongItemsAreReplacedByANote(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	s := NewServer(Config{})
	l := newLink(s, theirs, "")
	device := shakeHands(t)
	l.out, device.in = device.out, nil
	go io.Copy(io.Discard, ours)
	if err := l.Send(broker.Item{Number: 1, Body: broker.Sealed(make([]byte, maxMessage))}); err != nil {
		t.Errorf("Send = %v", err)
	}
	if got := s.Stats().ItemsDropped; got != 1 {
		t.Errorf("%d items dropped, want 1", got)
	}
}

// written is a connection from which comes what was written down before; what is
// written to it goes nowhere.
type written struct {
	net.Conn
	from io.Reader
}

func (w written) Read(b []byte) (int, error)       { return w.from.Read(b) }
func (w written) Write(b []byte) (int, error)      { return len(b), nil }
func (w written) SetDeadline(time.Time) error      { return nil }
func (w written) SetReadDeadline(time.Time) error  { return nil }
func (w written) SetWriteDeadline(time.Time) error { return nil }
func (w written) Close() error                     { return nil }

// TestOpeningMemory claims an opening of the longest length, behind a first
// message that is right, and sends little: nothing is made for the claim.
func TestOpeningMemory(t *testing.T) {
	b := newBench(t, Config{})
	greeting := Preamble{Version: Version}
	s, err := newShake(b.device.pair, b.key.Public(), greeting, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.keys.forget()
	hello, _, _, err := s.WriteMessage(greeting.Append(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	takes := func(claim uint16) int64 {
		stream := append(binary.BigEndian.AppendUint16(hello[:len(hello):len(hello)], claim), make([]byte, 100)...)
		return testing.Benchmark(func(tb *testing.B) {
			for range tb.N {
				b.server.Serve(t.Context(), written{from: bytes.NewReader(stream)}, "somebody")
			}
		}).AllocedBytesPerOp()
	}
	long, short := takes(65535), takes(openingOverhead)
	if long > 16<<10 || long > short+2<<10 {
		t.Errorf("a link that claims 65,535 bytes and sends 100 takes %d bytes, and %d with a claim of %d", long, short, openingOverhead)
	}
	if stats := b.server.Stats(); stats.Garbage != stats.Connections {
		t.Errorf("stats %+v, want every link refused", stats)
	}
}
