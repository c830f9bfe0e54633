package device

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// ask tries to open a link over conn.
func (b *bench) ask(conn net.Conn) error {
	_, err := initiate(conn, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("chat", "alice", "secret"))
	return err
}

// halfOpen opens a connection with a handshake on it that does not go on.
func (b *bench) halfOpen() net.Conn {
	b.t.Helper()
	conn := b.connect()
	b.begin(conn)
	synctest.Wait()
	return conn
}

// begin says on a connection what begins a handshake.
func (b *bench) begin(conn net.Conn) {
	b.t.Helper()
	s, err := newShake(b.device.pair, b.key.Public(), Preamble{Version: Version}, true)
	if err != nil {
		b.t.Fatal(err)
	}
	first, _, _, err := s.WriteMessage(Preamble{Version: Version}.Append(nil), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := conn.Write(first); err != nil {
		b.t.Fatal(err)
	}
}

func TestHandshakesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxHandshakes: 2})
		for range 5 { // who has said nothing does not count
			b.connect()
		}
		first, _ := b.halfOpen(), b.halfOpen()
		var crowded *CrowdedError
		if err := b.ask(b.connect()); !errors.As(err, &crowded) || crowded.After != time.Second {
			t.Errorf("the third: %v, want to come back in a second", err)
		}
		first.Close()
		synctest.Wait()
		b.halfOpen()
		if s := b.server.Stats(); s.Crowded != 1 || s.SentAway != 1 || s.Open != 7 || s.Shaking != 2 {
			t.Errorf("stats %+v, want one crowded and sent away, two under way", s)
		}
		time.Sleep(11 * time.Second)
	})
}

func TestOldHandshakesMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxHandshakes: 2})
		b.devices.admit = true
		oldest, _ := b.halfOpen(), b.halfOpen()
		time.Sleep(3 * time.Second)
		conn := b.connect()
		if err := b.ask(conn); err != nil {
			t.Errorf("after three seconds of nothing: %v, want the oldest to make room", err)
		}
		if _, err := io.Copy(io.Discard, oldest); err != nil {
			t.Errorf("the oldest: %v, want it closed", err)
		}
		synctest.Wait()
		if s := b.server.Stats(); s.Open != 2 || s.MadeRoom != 1 || s.Crowded != 0 || s.Shaking != 1 {
			t.Errorf("stats %+v, want one that made room", s)
		}
		conn.Close()
		time.Sleep(11 * time.Second)
	})
}

// Who stalls handshakes from one place keeps nobody else out.
func TestOneNeighbourhoodDoesNotFillTheLobby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxHandshakes: 8})
		b.devices.admit = true
		from := func(peer string) net.Conn {
			b.peer = peer
			return b.connect()
		}
		var crowded *CrowdedError
		for _, c := range []struct {
			name     string
			stalling []string
			refused  string
		}{
			{"one address", []string{"192.0.2.1:1", "192.0.2.1:2"}, "192.0.2.1:3"},
			{"one address, written otherwise", []string{"198.51.100.1:1", "[::ffff:198.51.100.1]:1"}, "198.51.100.1:2"},
			{"one customer", []string{"[2001:db8:1::1]:1", "[2001:db8:1:2::1]:1"}, "[2001:db8:1:ffff::1]:1"},
		} {
			for _, peer := range c.stalling {
				b.peer = peer
				b.halfOpen()
			}
			if err := b.ask(from(c.refused)); !errors.As(err, &crowded) {
				t.Errorf("%s: the third from there: %v, want it sent away", c.name, err)
			}
		}
		conn := from("203.0.113.1:1")
		if err := b.ask(conn); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		conn.Close()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if n := len(b.server.lobby.from); n != 0 || b.server.Stats().Shaking != 0 {
			t.Errorf("%d neighbourhoods are remembered of which nobody is there", n)
		}
	})
}

func TestStrangersInACrowdAreNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxHandshakes: 1})
		b.halfOpen()
		for _, say := range []string{"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "", "RCL1"} {
			conn := b.connect()
			go conn.Write([]byte(say))
			if got, _ := io.ReadAll(conn); len(got) != 0 {
				t.Errorf("%q was answered with %x", say, got)
			}
		}
		time.Sleep(11 * time.Second)
	})
}

func TestTurnsAreARamp(t *testing.T) {
	now := time.Now()
	b := newLobby(1, 500, 3*time.Second)
	perSecond := map[int]int{}
	for range 20_000 {
		later := b.later(now)
		if later < shortestLater || later > longestLater {
			t.Fatalf("asked to come back in %v", later)
		}
		perSecond[int(later.Seconds())]++
	}
	for second := 1; second < 40; second++ {
		if n := perSecond[second]; n != 500 {
			t.Errorf("%d shall come back in second %d, want 500", n, second)
		}
	}
	for range 100_000 { // more than a minute has room for: spread over its second half
		if later := b.later(now); later < shortestLater || later > longestLater {
			t.Fatalf("asked to come back in %v", later)
		}
	}
	if later := b.later(now.Add(10 * time.Minute)); later != shortestLater {
		t.Errorf("long after: %v, want %v", later, shortestLater)
	}
}

func TestADeviceBelievesNoMoreThanAMinute(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0: time.Second, time.Millisecond: time.Second, 7 * time.Second: 7 * time.Second, 40 * 24 * time.Hour: time.Minute,
	} {
		got, ok := parseLater([preambleSize]byte(appendLater(nil, asked)))
		if !ok || got != want {
			t.Errorf("asked for %v: %v, %t, want %v", asked, got, ok, want)
		}
	}
}

func TestLoginWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{MaxHandshakes: 1})
		b.devices.admit = true
		held := b.halfOpen()
		time.AfterFunc(1500*time.Millisecond, func() { held.Close() })
		c := NewClient(b.identity(), Options{Dial: func(context.Context, string, string) (net.Conn, error) { return b.connect(), nil }})
		began := time.Now()
		ch, _, err := c.askPatiently(t.Context(), openLogin("chat", "alice", "secret"))
		if spent := time.Since(began); err != nil || spent < 2*time.Second || spent > 3*time.Second {
			t.Fatalf("Login = %v after %v, want success at the second attempt", err, spent)
		}
		ch.conn.Close()
		time.Sleep(11 * time.Second)
	})
}

// identity gives the device's identity, in memory.
func (b *bench) identity() *Identity {
	return &Identity{key: b.device, unlock: func() error { return nil }, state: identityState{
		Server: b.key.Public(), Token: make([]byte, len(Token{})), Sessions: map[string]*savedSession{},
	}}
}

func FuzzInClear(f *testing.F) {
	f.Add(appendLater(nil, 7*time.Second))
	f.Add(Preamble{Version: 2}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < preambleSize {
			return
		}
		later, ok := parseLater([preambleSize]byte(b))
		if ok && (later < shortestLater || later > longestLater || !bytes.HasPrefix(b, []byte(laterMagic))) {
			t.Errorf("%x was taken for %v", b[:preambleSize], later)
		}
		_ = inClear([preambleSize]byte(b))
	})
}

// TestLinkGivenUpBreaks shows that a device can tell a link for which there was no
// time from a refusal, in which it ends in good order.
func TestLinkGivenUpBreaks(t *testing.T) {
	for name, config := range map[string]Config{
		"too slow":  {HandshakeTimeout: 100 * time.Millisecond},
		"made room": {MaxHandshakes: 1, HandshakePatience: 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, config)
			first, second := b.connectTCP(), b.connectTCP()
			b.begin(first)
			if _, err := io.ReadFull(first, make([]byte, helloSize)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // the patience with whom makes room
			b.begin(second)
			_ = first.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, first); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the link ended with %v, want it to break", err)
			}
			second.Close()
			b.ended()
		})
	}
}

// connectTCP is connect over a real connection.
func (b *bench) connectTCP() net.Conn {
	b.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { ours.Close() })
	theirs, err := l.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.server.Serve(context.Background(), theirs, "192.0.2.1:1")
	}()
	b.done = done
	return ours
}
