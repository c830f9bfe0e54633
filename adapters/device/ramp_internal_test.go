package device

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// crowdEnv has the test binary be a crowd of devices: "ADDRESS KEY COUNT".
const crowdEnv = "ROLLCALL_TEST_CROWD"

// welcoming lets every device resume whatever it asks for.
type welcoming struct{ resumed atomic.Int64 }

func (*welcoming) Identify([]byte) (domain.DeviceID, error) { return 7, nil }

func (*welcoming) Enrol(context.Context, broker.Enrolment) (domain.DeviceID, error) {
	return 0, broker.ErrUnknownSecret
}

func (*welcoming) Login(context.Context, broker.Login, broker.Link) (broker.Session, error) {
	return nil, broker.ErrStopped
}

func (w *welcoming) Resume(_ context.Context, r broker.Resume, link broker.Link) (broker.Session, error) {
	w.resumed.Add(1)
	return silence{}, link.Send(broker.Resumed{Session: r.Session, Fence: 1, StatusInterval: time.Hour, Epoch: 1})
}

type silence struct{}

func (silence) Receive(context.Context, broker.FromDevice) error { return nil }
func (silence) Detach()                                          {}

// BeCrowd runs sessions without number, until its standard input ends; false if
// that is not what the process is for.
func BeCrowd() bool {
	address, rest, ok := strings.Cut(os.Getenv(crowdEnv), " ")
	if !ok {
		return false
	}
	key, count, _ := strings.Cut(rest, " ")
	server, _ := base64.StdEncoding.DecodeString(key)
	n, _ := strconv.Atoi(count)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { oneOf(ctx, address, server, uint64(i+1)) })
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
	cancel()
	all.Wait()
	return true
}

func oneOf(ctx context.Context, address string, server []byte, session uint64) {
	key, err := NewKey()
	if err != nil {
		panic(err)
	}
	i := &Identity{key: key, state: identityState{Server: server, Address: address, Token: make([]byte, len(Token{}))}}
	s := newSession(NewClient(i, Options{}), "chat", savedSession{Session: session, Secret: make([]byte, 32)}, nil, 0)
	_ = s.Run(ctx, Handler{}) // until ctx ends
}

// rampServer is a server that can die without a goodbye, and be there again.
type rampServer struct {
	*Server
	devices *welcoming
	stop    func()
}

func startRamp(b *testing.B, c Config, address string) (*rampServer, string) {
	b.Helper()
	r := &rampServer{devices: new(welcoming)}
	c.Devices = r.devices
	r.Server = NewServer(c)
	ln, err := net.Listen("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var links sync.WaitGroup
	links.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			links.Go(func() { r.Serve(ctx, conn, fromAfar(conn)) })
		}
	})
	r.stop = func() {
		ln.Close()
		cancel()
		links.Wait()
	}
	return r, ln.Addr().String()
}

// fromAfar gives a device's address as if it had one of its own.
func fromAfar(conn net.Conn) string {
	port := conn.RemoteAddr().(*net.TCPAddr).Port
	return fmt.Sprintf("10.0.%d.%d:4711", port>>8, port&0xff)
}

// watch notes how many sessions are back each half second, until all are.
func (r *rampServer) watch(b *testing.B, all int) (arrivals []int) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for back := 0; back < all; {
		<-tick.C
		now := int(r.devices.resumed.Load())
		arrivals = append(arrivals, now-back)
		back = now
		if len(arrivals) > 240 {
			b.Fatalf("%d of %d are back after two minutes: %+v", back, all, r.Stats())
		}
	}
	return arrivals
}

// BenchmarkReturn kills a server with that many devices on it (ROLLCALL_CROWD,
// else 10,000), all in a second process, starts it again a second later, and tells
// how they come back.
func BenchmarkReturn(b *testing.B) {
	count, _ := strconv.Atoi(cmp.Or(os.Getenv("ROLLCALL_CROWD"), "10000"))
	for _, c := range []struct {
		name string
		Config
	}{
		{"standard", Config{}},
		{"64 handshakes at once", Config{MaxHandshakes: 64}},
		{"any number of handshakes", Config{MaxHandshakes: 1 << 20}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				returnOnce(b, c.Config, count)
			}
		})
	}
}

func returnOnce(b *testing.B, c Config, count int) {
	c.Key = drawKey(b)
	first, address := startRamp(b, c, "127.0.0.1:0")
	crowd := exec.Command(os.Args[0])
	crowd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", crowdEnv, address, base64.StdEncoding.EncodeToString(c.Key.Public()), count))
	crowd.Stderr = os.Stderr
	in, err := crowd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := crowd.Start(); err != nil {
		b.Fatal(err)
	}
	first.watch(b, count)
	first.stop()
	time.Sleep(time.Second)
	second, _ := startRamp(b, c, address)
	arrivals := second.watch(b, count)
	stats := second.Stats()
	in.Close()
	if err := crowd.Wait(); err != nil {
		b.Error(err)
	}
	second.stop()
	report(b, arrivals, stats)
}

func report(b *testing.B, arrivals []int, stats Stats) {
	highest := 0
	var drawn strings.Builder
	for _, n := range arrivals {
		highest = max(highest, n)
	}
	for i, n := range arrivals {
		fmt.Fprintf(&drawn, "\n  %4.1f s %5d %s", float64(i+1)/2, n, strings.Repeat("#", n*60/max(highest, 1)))
	}
	fmt.Printf("%s: back, by half seconds:%s\n  %d connections, %d sent away, %d cut, %d made room, %d timed out\n", b.Name(), drawn.String(),
		stats.Connections, stats.SentAway, stats.Crowded-stats.SentAway, stats.MadeRoom, stats.TimedOut)
	b.ReportMetric(float64(highest)*2, "highest/s")
	b.ReportMetric(float64(len(arrivals))/2, "s-until-all-back")
	b.ReportMetric(float64(stats.Connections)/float64(stats.Resumes), "connections/session")
}
