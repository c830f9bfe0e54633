package sametime_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/adapters/sametime/stserver"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// benchSessions is how many sessions are measured.
const benchSessions = 1000

// TestBenchServer is the double in a process of its own for the benchmark, so that
// only the connector's memory is measured.
func TestBenchServer(t *testing.T) {
	if os.Getenv("SAMETIME_BENCH_SERVER") == "" {
		t.Skip("runs for BenchmarkSessions only")
	}
	var all []stserver.Account
	for i := range benchSessions {
		name := fmt.Sprintf("user%04d", i)
		all = append(all, stserver.Account{Name: name, Password: name + "-secret"})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("address", l.Addr())
	s := stserver.New(stserver.Config{Accounts: all})
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the benchmark ends
		s.Close()
	}()
	if err := s.Serve(l); err != nil {
		t.Fatal(err)
	}
}

// benchServer starts the double, and gives its address.
func benchServer(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchServer$")
	cmd.Env = append(os.Environ(), "SAMETIME_BENCH_SERVER=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // it has served its time
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, found := strings.CutPrefix(lines.Text(), "address "); found {
			return address
		}
	}
	b.Fatal("the double does not say where it listens")
	return ""
}

type nothing struct{}

// Deliver implements [broker.Sink].
func (nothing) Deliver(uint64, broker.UpstreamEvent) {}

// BenchmarkSessions logs 1,000 sessions in, with the key exchange, and reports what
// each takes while it is idle.
func BenchmarkSessions(b *testing.B) {
	address := benchServer(b)
	connector := connector()
	settings := domain.Settings{Kind: domain.KindSametime, Address: address}
	var logins time.Duration
	for b.Loop() {
		before, goroutines := memory(), runtime.NumGoroutine()
		began := time.Now()
		sessions := loginMany(b, func(ctx context.Context, i int) (broker.Conversation, error) {
			name := fmt.Sprintf("user%04d", i)
			return connector.Login(ctx, broker.UpstreamLogin{Settings: settings, Account: name, Password: name + "-secret"}, nothing{})
		})
		logins += time.Since(began)
		time.Sleep(200 * time.Millisecond) // for the awareness channels to open
		b.ReportMetric(float64(memory()-before)/benchSessions, "B/session")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/benchSessions, "goroutines/session")
		for _, conv := range sessions {
			if err := conv.Logout(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*benchSessions/logins.Seconds(), "logins/s")
}

// loginMany logs in with as many at a time as a busy morning brings.
func loginMany(b *testing.B, login func(context.Context, int) (broker.Conversation, error)) []broker.Conversation {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sessions := make([]broker.Conversation, benchSessions)
	var wg sync.WaitGroup
	places := make(chan struct{}, 32)
	for i := range sessions {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			var err error
			if sessions[i], err = login(ctx, i); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return sessions
}

// memory gives what the heap and the stacks take.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
