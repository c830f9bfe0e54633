package whole_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/domain/broker"
)

// BenchmarkIdleSessions tells what an idle session costs this process, among
// 10,000 with the built-in service. With way=link the devices are in processes
// of their own, and each session has a link over loopback.
func BenchmarkIdleSessions(b *testing.B) {
	const sessions = 10_000
	b.Run("way=broker", func(b *testing.B) {
		for b.Loop() {
			h := newHouse(b, sessions)
			logins := make([]broker.Login, sessions)
			for i := range logins {
				logins[i] = broker.Login{Device: h.device(i), Service: "im", Account: name(i), Password: password}
			}
			before := footprint(b)
			var all sync.WaitGroup
			kept := make([]broker.Session, sessions)
			for part := range 64 {
				all.Go(func() {
					for i := part; i < sessions; i += 64 {
						kept[i] = idle(b, h, logins[i])
					}
				})
			}
			all.Wait()
			footprint(b).report(b, before, sessions)
			runtime.KeepAlive(kept)
		}
	})
	b.Run("way=link", func(b *testing.B) {
		for b.Loop() {
			h := newHouse(b, sessions)
			address := h.listen()
			var crowds []*children
			for from := 0; from < sessions; from += perProcess {
				crowds = append(crowds, bear(b, h, address, from, min(from+perProcess, sessions)))
			}
			for _, c := range crowds {
				c.await("joined")
			}
			before := footprint(b)
			for _, c := range crowds {
				c.say("login")
			}
			for _, c := range crowds {
				c.await("idle")
			}
			footprint(b).report(b, before, sessions)
			for _, c := range crowds {
				c.release()
			}
		}
	})
}

// idle logs in and acknowledges the roster.
func idle(b *testing.B, h *house, login broker.Login) broker.Session {
	session, err := h.Login(b.Context(), login, &quiet{})
	if err == nil {
		err = session.Receive(b.Context(), broker.Ack{Number: 1})
	}
	if err != nil {
		b.Error(err)
	}
	return session
}

// perProcess is how many devices share a process: each takes two descriptors.
const perProcess = 4000

// children is a process with devices, see [TestMain].
type children struct {
	testing.TB
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func bear(b *testing.B, h *house, address string, from, to int) *children {
	c := &children{TB: b, command: exec.Command(must(os.Executable())(b))}
	c.command.Env = append(os.Environ(), childFolder+"="+identities(b))
	c.command.Stderr = os.Stderr
	c.in = must(c.command.StdinPipe())(b)
	c.out = bufio.NewScanner(must(c.command.StdoutPipe())(b))
	check(b, c.command.Start())
	for i := from; i < to; i++ {
		c.say(fmt.Sprint(name(i), " ", h.enrolment(i, address)))
	}
	c.say("join")
	return c
}

func (c *children) say(line string) {
	_, err := fmt.Fprintln(c.in, line)
	check(c, err)
}

func (c *children) await(word string) {
	if !c.out.Scan() || c.out.Text() != word {
		c.Fatalf("the devices say %q, want %q", c.out.Text(), word)
	}
}

func (c *children) release() {
	check(c, c.in.Close())
	check(c, c.command.Wait())
}

// usage is what this process takes, in bytes.
type usage struct {
	heap, stack, resident int64
	goroutines            int
}

func footprint(b *testing.B) usage {
	time.Sleep(2 * time.Second) // what is on its way arrives, and goroutines end
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{int64(m.HeapAlloc), int64(m.StackInuse), resident(b), runtime.NumGoroutine()}
}

// resident gives the resident set of this process.
func resident(b *testing.B) int64 {
	fields := strings.Fields(string(must(os.ReadFile("/proc/self/statm"))(b)))
	pages := must(strconv.ParseInt(fields[1], 10, 64))(b)
	return pages * int64(os.Getpagesize())
}

func (u usage) report(b *testing.B, before usage, sessions int) {
	each := func(n int64) float64 { return float64(n) / float64(sessions) }
	b.ReportMetric(each(u.heap-before.heap), "heap-B/session")
	b.ReportMetric(each(u.stack-before.stack), "stack-B/session")
	b.ReportMetric(each(u.resident-before.resident), "resident-B/session")
	b.ReportMetric(each(int64(u.goroutines-before.goroutines)), "goroutines/session")
	b.ReportMetric(0, "ns/op")
}
